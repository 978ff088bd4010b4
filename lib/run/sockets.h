/* SPDX-License-Identifier: MIT */
#ifndef LIB_SOCKETS_H
#define LIB_SOCKETS_H

#include <volt-qemu/command.h>

/*
 * Make sure that nothing is lost where a command makes its sockets: QEMU, and what makes those of
 * companions, removes whatever has the name, a file as well as the socket of another program that
 * listens there. The error has the details "key" and "path".
 */
int sockets_check(const vqemu_command *command, vqemu_error **error);

#endif
