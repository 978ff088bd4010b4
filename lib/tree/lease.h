/* SPDX-License-Identifier: MIT */
/*
 * A lease is a shared flock(2) on the directory of a tree. It lasts as long as some process has
 * that open file description, so a QEMU that inherits it keeps its tree.
 */
#ifndef LIB_LEASE_H
#define LIB_LEASE_H

#include <sys/stat.h>

#include "base/progress.h"

/*
 * Open a tree and take a lease on it, waiting as long as the caller allows while another process
 * makes sure that it has none. trees_path is for messages. Returns 1, with what the directory is
 * like, 0 if there is no such tree, or an error.
 */
int lease_take(int trees_fd, const char *trees_path, const char *name,
               struct vqemu_progress *progress, int *lease_fd, struct stat *status,
               vqemu_error **error);

/*
 * Make sure that nobody has a lease on a tree, and that nobody gets one as long as the descriptor
 * is open. Returns a descriptor or a negative errno: -EWOULDBLOCK if it is leased.
 */
int lease_exclude(int trees_fd, const char *name);

/*
 * Whether anybody has a lease on a tree: 1, 0 (also if there is no such tree), or a negative errno
 * if that cannot be told.
 */
int lease_is_held(int trees_fd, const char *name);

/*
 * Remove a tree where it lies, for file systems that cannot rename it: those that unite several
 * (overlay) cannot do so with a directory of a lower one. The caller excludes leases. Returns 0 or
 * a negative errno.
 */
int lease_clear_tree(int trees_fd, const char *name);

/*
 * Take a tree away under the name of a leftover, and remove it, unless somebody has a lease on it.
 * Returns 1 if it was removed, 0 if it stays or is not there, or a negative errno.
 */
int lease_remove_tree(int trees_fd, const char *name);

#endif
