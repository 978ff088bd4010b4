/* SPDX-License-Identifier: MIT */
/* All that keeps revisions and trees in a store: leases, processes, pins, what was set to be used,
 * and links. */
#ifndef LIB_KEEPERS_H
#define LIB_KEEPERS_H

#include "store/current.h"
#include "store/pin.h"
#include "tree/links.h"
#include "tree/tree-users.h"
#include "util/strbuf.h"

struct keepers {
    vqemu_store *store;
    int trees_fd; /* -1 if there is no such directory */
    struct links links;
    struct tree_users users;
    struct pins pins;
    struct currents currents;
};

#define KEEPERS_NONE(of)                                                                           \
    { .store = (of), .trees_fd = -1 }

/* Find them all. On failure, too, they are released by the caller. */
int keepers_find(struct keepers *keepers, vqemu_call *call, vqemu_error **error);
void keepers_release(struct keepers *keepers);
#define _cleanup_keepers_ _cleanup_(keepers_release)

/*
 * Add to the text why a revision stays, whoever else keeps it: "current, pinned by unit:volt-web".
 * tree: the digest of its manifest. Returns 1 if there is a reason, 0 if not, or a negative errno.
 */
int keepers_add_reasons(const struct keepers *keepers, const char *revision, const char *tree,
                        struct strbuf *reasons);

/* The same for a tree alone: who uses it. */
int keepers_add_uses(const struct keepers *keepers, const char *tree, struct strbuf *reasons);

#endif
