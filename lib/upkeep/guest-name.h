/* SPDX-License-Identifier: MIT */
#ifndef LIB_GUEST_NAME_H
#define LIB_GUEST_NAME_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The name of the VM that the arguments of a QEMU say, as this library gives them: -name
 * guest=volt-web,... is "web". arguments has a NUL behind each of them, and size bytes. *name is
 * the caller's, NULL if they say none. Returns 0 or -ENOMEM.
 */
int guest_name_of_arguments(const char *arguments, size_t size, char **name);

/* The same for a process. */
int guest_name_of_process(pid_t pid, char **name);

#endif
