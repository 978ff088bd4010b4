/* SPDX-License-Identifier: MIT */
#include "tree/tree-inodes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "store/leftovers.h"
#include "util/dir.h"

static int add(struct tree_inodes *inodes, const struct stat *status) {
    if (inodes->count == inodes->capacity) {
        size_t capacity = inodes->capacity ? 2 * inodes->capacity : 256;
        struct tree_inode *larger = realloc(inodes->inodes, capacity * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        inodes->inodes = larger;
        inodes->capacity = capacity;
    }
    inodes->inodes[inodes->count++] =
        (struct tree_inode){status->st_dev, status->st_ino, inodes->trees.count - 1};
    return 0;
}

/* Nothing else can be a working directory or be executed. */
static int add_entry(int directory_fd, const char *name, void *userdata) {
    struct stat status;
    if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    bool is_directory = S_ISDIR(status.st_mode);
    if (!is_directory && !(S_ISREG(status.st_mode) && status.st_mode & 0111))
        return 0;
    int r = add(userdata, &status);
    if (r == 0 && is_directory)
        r = for_each_entry(directory_fd, name, add_entry, userdata);
    /* One that is being made, by somebody else, may not be looked into, nor run from. */
    return r == -ENOENT || r == -EACCES ? 0 : r;
}

static int add_tree(int trees_fd, const char *name, void *userdata) {
    struct tree_inodes *inodes = userdata;
    struct digest digest;
    if (!digest_parse(name, &digest) &&
        strncmp(name, LEFTOVER_PREFIX, strlen(LEFTOVER_PREFIX)) != 0)
        return 0;
    strv_add(&inodes->trees, name);
    return inodes->trees.failed ? -ENOMEM : add_entry(trees_fd, name, inodes);
}

static int compare(const void *a, const void *b) {
    const struct tree_inode *x = a, *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

int tree_inodes_read(struct tree_inodes *inodes, int trees_fd) {
    int r = for_each_entry(trees_fd, ".", add_tree, inodes);
    if (r == 0 && inodes->count > 0)
        qsort(inodes->inodes, inodes->count, sizeof *inodes->inodes, compare);
    return r;
}

const struct tree_inode *tree_inodes_find(const struct tree_inodes *inodes, dev_t device,
                                          ino_t inode, size_t *count) {
    const struct tree_inode wanted = {.device = device, .inode = inode};
    *count = 0;
    if (inodes->count == 0)
        return NULL;
    const struct tree_inode *found =
        bsearch(&wanted, inodes->inodes, inodes->count, sizeof wanted, compare);
    if (!found)
        return NULL;
    while (found > inodes->inodes && compare(found - 1, &wanted) == 0)
        found--;
    const struct tree_inode *end = inodes->inodes + inodes->count;
    while (found + *count < end && compare(found + *count, &wanted) == 0)
        (*count)++;
    return found;
}

void tree_inodes_release(struct tree_inodes *inodes) {
    strv_release(&inodes->trees);
    free(inodes->inodes);
    *inodes = (struct tree_inodes){0};
}
