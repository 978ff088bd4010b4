/* SPDX-License-Identifier: MIT */
/* One object of a store: a read-only file named by the SHA-256 of its content. */
#ifndef LIB_OBJECT_H
#define LIB_OBJECT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "digest.h"
#include "store.h"

/*
 * Every object that this library writes has this time of last change (seconds since the epoch), so
 * that a later write shows.
 */
#define OBJECT_MTIME 1

/* Give a finished file its mode, 0555 or 0444, and OBJECT_MTIME. Returns 0 or a negative errno. */
int object_finish_file(int fd, bool executable);

/*
 * Whether an inode may itself stand in a tree: readable by all, writable by its owner at the most,
 * without setuid or setgid, and of the right class, executable or not.
 */
bool object_mode_fits(const struct stat *status, bool executable);

/* Open a file that must be an object: no link, nothing that blocks. -ELOOP for what is no file. */
int object_open(int directory_fd, const char *name, int *fd, struct stat *status);

/* Whether a file of this name holds what its name says. Returns 1, 0, or a negative errno. */
int object_is_intact(int directory_fd, const struct digest *digest);

/*
 * Move a staged, finished and synced file into a directory under its digest. A file that is there
 * already is kept if it is intact, else replaced, so that damage does not spread by deduplication.
 * The staged name is gone afterwards. Returns 0 or a negative errno.
 */
int object_publish(int stage_fd, const char *staged, int directory_fd, const struct digest *digest);

/* Copy the whole content: by reflink, by copy_file_range, or by hand. Returns 0 or a negative
 * errno. */
int object_copy_content(int from, int to);

#endif
