/* SPDX-License-Identifier: MIT */
/* One object of a store: a read-only file named by the SHA-256 of its content. */
#ifndef LIB_OBJECT_H
#define LIB_OBJECT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "store/store.h"

/*
 * Every object that this library writes has this time of last change (seconds since the epoch), so
 * that a later write shows.
 */
#define OBJECT_MTIME 1

/* Give a finished file its mode, 0555 or 0444, and OBJECT_MTIME. Returns 0 or a negative errno. */
int object_finish_file(int fd, bool executable);

/* The same where the file may have its mode already; *status is that of the finished file. */
int object_finish_and_stat(int fd, bool executable, struct stat *status);

/*
 * Whether an inode may itself stand in a tree: readable by all, writable by its owner at the most,
 * without setuid or setgid, and of the right class, executable or not.
 */
bool object_mode_fits(const struct stat *status, bool executable);

/* Whether the file is one that this library wrote, and that nobody wrote to since. */
bool object_is_own(const struct stat *status);

/*
 * Give a file that was found damaged, though its time says that nobody wrote to it, the time of
 * now: then quick checks see it, too, and what is known of it does not hold any more.
 */
void object_mark_damaged(int fd);

/* Open a file that must be an object: no link, nothing that blocks. -ELOOP for what is no file. */
int object_open(int directory_fd, const char *name, int *fd, struct stat *status);

/* Whether a file of this name holds what its name says. Returns 1, 0, or a negative errno. */
int object_is_intact(int directory_fd, const struct digest *digest, const struct watch *watch);

/*
 * Move a staged, finished and synced file to the store's objects under its digest. A file that is
 * there already is kept if it is intact and nobody else's, else replaced, so that damage does not
 * spread by deduplication.
 * The staged name is gone afterwards. Returns 0 if there was none, one of these, or a negative
 * errno: -ECANCELED if watch says so.
 */
enum object_published { OBJECT_WAS_THERE = 1, OBJECT_REPLACED = 2 };
int object_publish(int stage_fd, const char *staged, const vqemu_store *store,
                   const struct digest *digest, const struct watch *watch);

/* How a file got its content, best first. */
enum object_copy { OBJECT_REFLINK, OBJECT_COPY_FILE_RANGE, OBJECT_COPY };

/* Copy the whole content in the best way there is. Returns 0 or a negative errno. */
int object_copy_content(int from, int to, const struct watch *watch, enum object_copy *how);

#endif
