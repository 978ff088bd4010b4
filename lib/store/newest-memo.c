/* SPDX-License-Identifier: MIT */
#include "store/newest-memo.h"

#include <stdlib.h>
#include <string.h>

void newest_memo_forget(struct newest_memo *memos) {
    while (memos) {
        struct newest_memo *next = memos->next;
        free(memos->key);
        free(memos);
        memos = next;
    }
}

static struct newest_memo *find_memo(struct newest_memo *memo, const char *key) {
    while (memo && strcmp(memo->key, key) != 0)
        memo = memo->next;
    return memo;
}

struct newest_memo *newest_memo_make(struct newest_memo **memos, const char *key) {
    struct newest_memo *memo = find_memo(*memos, key);
    if (memo)
        return memo;
    memo = calloc(1, sizeof *memo);
    char *copy = strdup(key);
    if (!memo || !copy) {
        free(memo);
        free(copy);
        return NULL;
    }
    memo->key = copy;
    memo->next = *memos;
    *memos = memo;
    return memo;
}
