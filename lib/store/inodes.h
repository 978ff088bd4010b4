/* SPDX-License-Identifier: MIT */
/* Links to inodes, counted. Add all, sort, then ask. */
#ifndef LIB_INODES_H
#define LIB_INODES_H

#include <stddef.h>
#include <sys/types.h>

struct inodes {
    ino_t *inodes;
    size_t count, capacity;
};

/* Returns 0 or -ENOMEM. */
int inodes_add(struct inodes *inodes, ino_t inode);
void inodes_sort(struct inodes *inodes);
/* How often an inode was added. */
size_t inodes_count(const struct inodes *inodes, ino_t inode);
void inodes_release(struct inodes *inodes);

#endif
