/* SPDX-License-Identifier: MIT */
/*
 * An assembled tree and its stamp: the file that is written last, and says for every file and
 * directory of the tree what it looked like then.
 */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include <stdbool.h>
#include <sys/stat.h>

#include <volt-qemu/error.h>

#include "digest.h"
#include "manifest.h"

/* Directories of a tree get this time of last change, so that an entry made or removed later shows.
 */
#define TREE_DIRECTORY_MTIME 1

/*
 * Write the stamp of a tree whose files and directories are complete, then sync and close the tree
 * against changes that would go unseen: its directories get their mode and time.
 */
int tree_seal(int tree_fd, const vqemu_manifest *manifest, const char *path, vqemu_error **error);

/*
 * Compare a tree with its stamp: one statx() for each file and directory. Returns 1 if nothing
 * changed, 0 if something did, with a phrase in *difference (owned by the caller), or -ENOMEM.
 */
int tree_check(int tree_fd, const vqemu_manifest *manifest, char **difference);

/* Like tree_check(), for the content: read and hash every file. */
int tree_check_content(int tree_fd, const vqemu_manifest *manifest, char **difference);

#endif
