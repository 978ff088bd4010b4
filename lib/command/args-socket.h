/* SPDX-License-Identifier: MIT */
/* Unix sockets of QEMU: arguments of -chardev, claims and resources in one. */
#ifndef LIB_ARGS_SOCKET_H
#define LIB_ARGS_SOCKET_H

#include "command/args.h"

/* "socket,id=...,path=...,server=on,wait=off", as an argument of -chardev. */
void args_listen(struct args *args, const char *id, const char *key, const char *path);

/* The same of a socket on which another program listens: "socket,id=...,path=...". */
void args_connect(struct args *args, const char *id, const char *key, const char *path);

#endif
