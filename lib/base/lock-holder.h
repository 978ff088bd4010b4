/* SPDX-License-Identifier: MIT */
#ifndef LIB_LOCK_HOLDER_H
#define LIB_LOCK_HOLDER_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Who holds a flock(2) on the file of a descriptor, for messages: "process 123 (qemu)". NULL if
 * /proc/locks does not tell, as in another PID namespace, or without memory.
 */
char *lock_describe_holder(int fd);

/*
 * The processes that took such locks, at most max of them, of which some may have ended since:
 * those that inherited the descriptor hold the lock then. Returns how many there are, 0 if
 * /proc/locks does not tell, or -ENOMEM.
 */
int lock_find_holders(const struct stat *file, pid_t *holders, int max);

#endif
