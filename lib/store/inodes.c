/* SPDX-License-Identifier: MIT */
#include "store/inodes.h"

#include <errno.h>
#include <stdlib.h>

int inodes_add(struct inodes *inodes, ino_t inode) {
    if (inodes->count == inodes->capacity) {
        size_t capacity = inodes->capacity ? 2 * inodes->capacity : 256;
        ino_t *larger = realloc(inodes->inodes, capacity * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        inodes->inodes = larger;
        inodes->capacity = capacity;
    }
    inodes->inodes[inodes->count++] = inode;
    return 0;
}

static int compare(const void *a, const void *b) {
    ino_t x = *(const ino_t *)a, y = *(const ino_t *)b;
    return x < y ? -1 : x > y;
}

void inodes_sort(struct inodes *inodes) {
    if (inodes->count > 0)
        qsort(inodes->inodes, inodes->count, sizeof *inodes->inodes, compare);
}

/* The first index whose inode is not below the given one. */
static size_t lower_bound(const struct inodes *inodes, ino_t inode) {
    size_t low = 0, high = inodes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (inodes->inodes[middle] < inode)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t inodes_count(const struct inodes *inodes, ino_t inode) {
    size_t first = lower_bound(inodes, inode), end = first;
    while (end < inodes->count && inodes->inodes[end] == inode)
        end++;
    return end - first;
}

void inodes_release(struct inodes *inodes) {
    free(inodes->inodes);
    *inodes = (struct inodes){0};
}
