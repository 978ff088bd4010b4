/* SPDX-License-Identifier: MIT */
/* An assembled tree: completing it, and comparing it with its stamp. */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include <stdbool.h>

#include "progress.h"
#include "stamp.h"

/* Directories of a tree get this time of last change, so that an entry made or removed later shows.
 */
#define TREE_DIRECTORY_MTIME 1

/*
 * Write the stamp of a tree whose files and directories are complete, and close the tree against
 * changes that would go unseen: its directories get their mode and time. Then make it durable; with
 * has_copies, also the content of files. Returns 0 or a negative errno.
 */
int tree_seal(int tree_fd, const vqemu_manifest *manifest, const struct tree_file *files,
              bool has_copies);

/* VQEMU_ERR_UNSUPPORTED if no program can be run from a file system. */
int tree_check_mount(int fd, const char *trees_path, vqemu_error **error);

/*
 * Compare a tree with the list in its stamp: one stat for each file and directory. list: what
 * stamp_take_layout() leaves. Returns 1 if nothing changed, 0 if something did, with a phrase in
 * *difference (owned by the caller), or -ENOMEM.
 */
int tree_check(int tree_fd, char *list, char **difference);

/*
 * Like tree_check(), for the content: read and hash every file. Other failures are those of
 * progress, with an error.
 */
int tree_check_content(int tree_fd, const vqemu_manifest *manifest, unsigned threads,
                       struct progress *progress, char **difference, vqemu_error **error);

/* The same for one path, which need not be in the manifest: 1, 0 with how it differs, or -ENOMEM.
 */
int tree_check_one(int tree_fd, const vqemu_manifest *manifest, const char *path,
                   char **difference);

#endif
