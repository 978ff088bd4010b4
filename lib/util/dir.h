/* SPDX-License-Identifier: MIT */
#ifndef UTIL_DIR_H
#define UTIL_DIR_H

/* Called for each entry of a directory but "." and ".."; anything but 0 ends that. */
typedef int (*entry_fn)(int directory_fd, const char *name, void *userdata);

/*
 * Call back for each entry of a directory, known by its path relative to directory_fd. Returns what
 * the callback returned last, or a negative errno.
 */
int for_each_entry(int directory_fd, const char *path, entry_fn function, void *userdata);

/* Remove a file or a directory with all that is in it, without following links; -ENOENT is no
 * error. */
int remove_tree(int directory_fd, const char *name);

#endif
