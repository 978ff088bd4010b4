/* SPDX-License-Identifier: MIT */
/* An assembled tree: completing it, and comparing it with its stamp. */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include <stdbool.h>

#include "base/progress.h"
#include "tree/stamp.h"

/* Directories of a tree get this time of last change, so that an entry made or removed later shows.
 */
#define TREE_DIRECTORY_MTIME 1

/* How a tree differs from what it was. */
struct difference {
    char *path;      /* relative to the tree */
    const char *how; /* what is with it, as a phrase */
    bool no_tree;    /* there is no tree at all */
};
void difference_release(struct difference *difference);
#define _cleanup_difference_ __attribute__((cleanup(difference_release)))

/*
 * Write the stamp of a tree whose files and directories are complete, and close the tree against
 * changes that would go unseen: its directories get their mode and time. Returns 0 or a negative
 * errno.
 */
int tree_seal(int tree_fd, const vqemu_manifest *manifest, const struct tree_file *files);

/* Make a sealed tree durable before it gets its name. has_copies: it has files that are not links
 * to durable objects. Returns 0 or a negative errno. */
int tree_sync_before_publishing(int tree_fd, bool has_copies);

/* VQEMU_ERR_UNSUPPORTED if no program can be run from a file system. */
int tree_check_mount(int fd, const char *trees_path, vqemu_error **error);

/*
 * Compare a tree with the list in its stamp: one stat for each file and directory. store_flags:
 * those of its store; what is another user's differs, unless they allow others. list: what
 * stamp_take_layout() leaves. Returns 1 if nothing changed, 0 if something did, with *difference
 * (released by the caller), or -ENOMEM.
 */
int tree_check(int tree_fd, uint32_t store_flags, char *list, struct difference *difference);

/*
 * Whether a tree has the files and directories of a manifest, with fitting modes, and nothing else;
 * inodes and times, which another file system or a copy has others of, do not count. Returns as
 * tree_check() does.
 */
int tree_check_shape(int tree_fd, uint32_t store_flags, const vqemu_manifest *manifest,
                     struct difference *difference);

/*
 * tree_check_shape(), then read and hash every file. Other failures are those of progress, with an
 * error.
 */
int tree_check_content(int tree_fd, uint32_t store_flags, const vqemu_manifest *manifest,
                       unsigned threads, struct vqemu_progress *progress,
                       struct difference *difference, vqemu_error **error);

/* The same for one path, which need not be in the manifest: 1, 0 with how it differs, -ENOMEM or
 * -ECANCELED. */
int tree_check_one(int tree_fd, const vqemu_manifest *manifest, const char *path,
                   const struct watch *watch, struct difference *difference);

#endif
