/* SPDX-License-Identifier: MIT */
#ifndef LIB_ASSEMBLE_H
#define LIB_ASSEMBLE_H

#include "base/progress.h"
#include "store/revision.h"
#include "store/store.h"

/*
 * Assemble the tree of a revision's manifest under its digest, or replace it if it is there but not
 * as its stamp says (with verify, also if a file's content is not). Everything is built and
 * verified in a directory beside it and appears by one rename. The caller holds the store lock.
 *
 * lease_fd: a lease on the tree, which needs no check then; -1 if it was another process that
 * assembled it meanwhile. It may be NULL.
 */
int assemble_tree(vqemu_store *store, vqemu_revision *revision, int trees_fd, bool verify,
                  struct vqemu_progress *progress, int *lease_fd, vqemu_error **error);

#endif
