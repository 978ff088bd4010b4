/* SPDX-License-Identifier: MIT */
/*
 * What newest.c found out of each profile or revision, kept by the handle of the store: a process
 * that resolves often need not read it again.
 */
#ifndef LIB_NEWEST_MEMO_H
#define LIB_NEWEST_MEMO_H

#include <limits.h>
#include <stdint.h>

#include "base/digest.h"

/* What shows whether a directory or a file has changed. */
struct seen {
    uint64_t device; /* of a directory; else 0 */
    uint64_t inode;
    uint64_t size; /* of a file; else 0 */
    int64_t seconds, nanoseconds;
};

struct newest_memo {
    struct newest_memo *next;
    char *key; /* a profile or a revision */
    struct seen refs, file;
    char name[NAME_MAX + 1]; /* of the revision; "" if it is not known */
    struct digest digest;
};

/* The memo of a key in a list, new if there is none; NULL without memory. */
struct newest_memo *newest_memo_make(struct newest_memo **memos, const char *key);

/* Free all of a list. */
void newest_memo_forget(struct newest_memo *memos);

#endif
