/* SPDX-License-Identifier: MIT */
/*
 * What is being made lies under a name with LEFTOVER_PREFIX, and is locked by its maker as long as
 * that lives. What nobody locks was left by a process that died, and may be removed.
 */
#ifndef LIB_LEFTOVERS_H
#define LIB_LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>

#define LEFTOVER_PREFIX ".volt-new-"

/* A new name with the prefix, owned by the caller; NULL without memory. */
char *leftovers_new_name(void);

/*
 * Lock something just made under its name. -EAGAIN if it is being taken for a leftover, or was, and
 * is removed: make it again under another name.
 */
int leftovers_lock(int fd, int directory_fd, const char *name);

/* Make, open and lock a directory with mode 0700 and a new name, which the caller frees also after
 * a failure. Returns a descriptor or a negative errno. */
int leftovers_make_directory(int directory_fd, char **name);

/* The same for a file with mode 0644, which can be read and written. */
int leftovers_make_file(int directory_fd, char **name);

/* Put a file of these bytes in the place of another, at once. It is synced, the directory is not.
 * Returns 0 or a negative errno. */
int leftovers_replace_file(int directory_fd, const char *name, const void *bytes, size_t size);

/* Whether an entry of a directory was left by a process that died: 1 or 0, or a negative errno if
 * that cannot be told. */
int leftovers_is_one(int directory_fd, const char *name);

/* Remove it if it still is one. Returns 1 if it was removed, 0 if not, or a negative errno. */
int leftovers_remove(int directory_fd, const char *name);

/*
 * Remove everything with the prefix that nobody has locked, and symbolic links. What cannot be
 * removed stays.
 */
void leftovers_sweep(int directory_fd);

#endif
