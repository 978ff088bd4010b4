/* SPDX-License-Identifier: MIT */
#ifndef LIB_LOCK_HOLDER_H
#define LIB_LOCK_HOLDER_H

/*
 * Who holds a flock(2) on the file of a descriptor, for messages: "process 123 (qemu)". NULL if
 * /proc/locks does not tell, as in another PID namespace, or without memory.
 */
char *lock_describe_holder(int fd);

#endif
