/* SPDX-License-Identifier: MIT */
/*
 * What the stamps of trees begin with, kept by the handle of the store: a process that resolves
 * often, and trusts what is there, need not read them again.
 */
#ifndef LIB_TREE_MEMO_H
#define LIB_TREE_MEMO_H

#include <stddef.h>
#include <sys/stat.h>

struct tree_memo;

/* tree: what its directory is like; whatever is put into it, or taken away, shows there. Owned by
 * the caller; NULL if it is not known, or without memory. */
char *tree_memo_recall(const struct tree_memo *memos, const char *digest, const struct stat *tree);

/* Add to a list. Failures do not matter. */
void tree_memo_keep(struct tree_memo **memos, const char *digest, const struct stat *tree,
                    const char *text, size_t length);

/* Free all of a list. */
void tree_memo_forget(struct tree_memo *memos);

#endif
