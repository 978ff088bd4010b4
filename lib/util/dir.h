/* SPDX-License-Identifier: MIT */
#ifndef UTIL_DIR_H
#define UTIL_DIR_H

#include <stdbool.h>

/* Called for each entry of a directory but "." and ".."; anything but 0 ends that. */
typedef int (*entry_fn)(int directory_fd, const char *name, void *userdata);

/*
 * Call back for each entry of a directory, known by its path relative to directory_fd. Returns what
 * the callback returned last, or a negative errno.
 */
int for_each_entry(int directory_fd, const char *path, entry_fn function, void *userdata);

/*
 * How deep a walk goes into directories in which others may have made something, at a descriptor
 * and some stack for each level. No manifest has a path of more components.
 */
#define DIRECTORY_DEPTH_MAX 520

/* Remove a file or a directory with all that is in it, without following links; -ENOENT is no
 * error. -ENAMETOOLONG for what lies deeper than DIRECTORY_DEPTH_MAX. */
int remove_tree(int directory_fd, const char *name);

/* Whether a name is that of a directory, and no link to one; false also if that cannot be told. */
bool is_directory(int directory_fd, const char *name);

/* Whether an open directory was removed; false also if that cannot be told. */
bool is_removed_directory(int fd);

/*
 * rename(2) for a directory that the file system will not rename, such as one of a lower layer of
 * an overlay: a new directory is made, and gets the entries one after the other. Returns 0 or a
 * negative errno: -EEXIST if the new name is taken.
 */
int move_entries(int directory_fd, const char *name, int new_fd, const char *new_name);

#endif
