/* SPDX-License-Identifier: MIT */
/* Which revision of a profile is used: the newest, unless another one was set. */
#ifndef LIB_CURRENT_H
#define LIB_CURRENT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/revision.h"
#include "store/store.h"

/* The revision of a profile that is used; its manifest need not be loaded. */
int current_find(vqemu_store *store, const char *profile, vqemu_call *call,
                 vqemu_revision **revision, vqemu_error **error);

/* The same, with its manifest. */
int current_load(vqemu_store *store, const char *profile, vqemu_call *call,
                 vqemu_revision **revision, vqemu_error **error);

struct current {
    char *profile, *revision; /* names */
};

struct currents {
    struct current *currents;
    size_t count, capacity;
};

/* All that were set. One that cannot be read is an error, one whose revision is gone is not. */
int currents_read(const vqemu_store *store, struct currents *currents, vqemu_error **error);

/* Whether a revision was set. */
bool currents_have(const struct currents *currents, const char *revision);

void currents_release(struct currents *currents);

#endif
