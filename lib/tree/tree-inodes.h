/* SPDX-License-Identifier: MIT */
/*
 * The inodes of what is in trees: by them a process is found that knows the trees by other names,
 * as in another mount namespace.
 */
#ifndef LIB_TREE_INODES_H
#define LIB_TREE_INODES_H

#include <stddef.h>
#include <sys/types.h>

#include "util/strv.h"

struct tree_inode {
    dev_t device;
    ino_t inode;
    size_t tree; /* index into trees */
};

struct tree_inodes {
    struct strv trees; /* names */
    struct tree_inode *inodes;
    size_t count, capacity;
};

/* Note all directories and programs of all trees, and of those that were replaced. Returns 0 or a
 * negative errno. */
int tree_inodes_read(struct tree_inodes *inodes, int trees_fd);

/* The first of those that are this inode, and *count of them: links share one among trees. NULL if
 * there is none. */
const struct tree_inode *tree_inodes_find(const struct tree_inodes *inodes, dev_t device,
                                          ino_t inode, size_t *count);

void tree_inodes_release(struct tree_inodes *inodes);

#endif
