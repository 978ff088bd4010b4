/* SPDX-License-Identifier: MIT */
#ifndef LIB_GUARD_H
#define LIB_GUARD_H

#include <stdbool.h>
#include <sys/stat.h>

#include <volt-qemu/store.h>

/*
 * Whether nobody but root and the caller can put something into a directory of a store: who can,
 * has programs of his own choice run. VQEMU_ERR_REFUSED, with the path, if others can.
 */
bool guard_trusts(const struct stat *directory);
int guard_check(const struct stat *directory, const char *path, vqemu_error **error);

/* The same for a directory in which those are, and that others could put in their place: it may be
 * sticky, as /tmp is. */
bool guard_trusts_above(const struct stat *directory);
int guard_check_above(const struct stat *directory, const char *path, vqemu_error **error);

/* The same for the one that a path lies in. */
int guard_check_containing(const struct stat *above, const char *path, vqemu_error **error);

/*
 * An open directory of a store, and the one that it lies in. link: its name, relative to base_fd,
 * if that is a link, or NULL: then also the link and the directory that this lies in, for others
 * could have it lead elsewhere the next time.
 */
int guard_check_place(int fd, const struct stat *directory, const char *path, int base_fd,
                      const char *link, vqemu_error **error);

/*
 * Whether a file of a store with these flags is root's or the caller's: another owner can change
 * what is in it, also after it was looked at. What others than its owner may write to is found out
 * by the modes that objects and trees must have; where nothing else looks at the mode, also of the
 * directory of a tree, guard_trusts_file() does.
 */
bool guard_trusts_owner(uint32_t store_flags, const struct stat *file);
bool guard_trusts_file(uint32_t store_flags, const struct stat *file);

/* VQEMU_ERR_REFUSED, with the path, for a file that is not trusted; the latter looks first. */
int guard_refuse_file(const struct stat *file, const char *path, vqemu_error **error);
int guard_check_file(uint32_t store_flags, const struct stat *file, const char *path,
                     vqemu_error **error);

#endif
