/* SPDX-License-Identifier: MIT */
#ifndef LIB_ASSEMBLE_H
#define LIB_ASSEMBLE_H

#include "progress.h"
#include "ref.h"
#include "store.h"

/*
 * Assemble the tree of a ref's manifest under its digest, or replace it if it is there but not as
 * its stamp says (with verify, also if a file's content is not). Everything is built and verified
 * in a directory beside it and appears by one rename. The caller holds the store lock.
 */
int assemble_tree(vqemu_store *store, const vqemu_ref *ref, int trees_fd, bool verify,
                  struct progress *progress, vqemu_error **error);

#endif
