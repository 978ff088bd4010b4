/* SPDX-License-Identifier: MIT */
/* What a collection removes and keeps: first the plan, then the report. */
#ifndef LIB_COLLECTION_H
#define LIB_COLLECTION_H

#include <volt-qemu/collect.h>

enum removed_kind { REMOVED_REVISION, REMOVED_TREE, REMOVED_OBJECT, REMOVED_STAGING };

struct removed {
    enum removed_kind kind;
    char *name;
    uint64_t bytes;
};

struct kept {
    const char *kind;
    char *name, *message;
};

struct vqemu_collection {
    struct removed *items;
    size_t count, capacity;
    uint64_t freed;
    struct kept *kept;
    size_t kept_count, kept_capacity;
};

/* Add something that goes. Returns 0 or -ENOMEM. */
int collection_add(vqemu_collection *collection, enum removed_kind kind, const char *name,
                   uint64_t bytes);

/* Take it out again: what stays is not reported as removed. */
void collection_drop(vqemu_collection *collection, size_t index);

/* Add something that stays. The message is taken over; NULL stands for a failed allocation. Returns
 * 0 or -ENOMEM. */
int collection_keep(vqemu_collection *collection, const char *kind, const char *name,
                    char *message);

#endif
