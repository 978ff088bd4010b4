/* SPDX-License-Identifier: MIT */
#include "store/tree-memo.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

struct tree_memo {
    struct tree_memo *next;
    struct digest digest; /* the tree's name */
    dev_t device;
    ino_t inode;
    struct timespec changed;
    char *text;
};

void tree_memo_forget(struct tree_memo *memos) {
    while (memos) {
        struct tree_memo *next = memos->next;
        free(memos->text);
        free(memos);
        memos = next;
    }
}

static const struct tree_memo *find_memo(const struct tree_memo *memo, const char *digest) {
    while (memo && strcmp(memo->digest.hex, digest) != 0)
        memo = memo->next;
    return memo;
}

static bool is_still(const struct tree_memo *memo, const struct stat *tree) {
    return memo->device == tree->st_dev && memo->inode == tree->st_ino &&
           memo->changed.tv_sec == tree->st_ctim.tv_sec &&
           memo->changed.tv_nsec == tree->st_ctim.tv_nsec;
}

char *tree_memo_recall(const struct tree_memo *memos, const char *digest, const struct stat *tree) {
    const struct tree_memo *memo = find_memo(memos, digest);
    return memo && is_still(memo, tree) ? strdup(memo->text) : NULL;
}

/* Another tree of the name is gone for good. */
static void drop_memo(struct tree_memo **memos, const char *digest) {
    while (*memos && strcmp((*memos)->digest.hex, digest) != 0)
        memos = &(*memos)->next;
    struct tree_memo *dropped = *memos;
    if (!dropped)
        return;
    *memos = dropped->next;
    dropped->next = NULL;
    tree_memo_forget(dropped);
}

void tree_memo_keep(struct tree_memo **memos, const char *digest, const struct stat *tree,
                    const char *text, size_t length) {
    drop_memo(memos, digest);
    struct tree_memo *memo = calloc(1, sizeof *memo);
    char *copy = strndup(text, length);
    if (!memo || !copy || !digest_parse(digest, &memo->digest)) {
        free(memo);
        free(copy);
        return;
    }
    memo->device = tree->st_dev;
    memo->inode = tree->st_ino;
    memo->changed = tree->st_ctim;
    memo->text = copy;
    memo->next = *memos;
    *memos = memo;
}
