/* SPDX-License-Identifier: MIT */
#ifndef LIB_GUARD_H
#define LIB_GUARD_H

#include <stdbool.h>

#include <volt-qemu/store.h>

/*
 * Whether nobody but root and the caller can put something into an open directory of a store: who
 * can, has programs of his own choice run. VQEMU_ERR_REFUSED, with the path, if others can.
 */
int guard_check(int fd, const char *path, vqemu_error **error);

/* The same for a directory in which those are, and that others could put in their place: it may be
 * sticky, as /tmp is. */
int guard_check_above(int fd, const char *path, vqemu_error **error);

/* The same for a tree of a store with these flags, where others may be allowed. */
bool guard_trusts(uint32_t store_flags, int tree_fd);

#endif
