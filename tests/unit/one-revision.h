/* SPDX-License-Identifier: MIT */
/* A store that has one revision of a profile. */
#ifndef TEST_ONE_REVISION_H
#define TEST_ONE_REVISION_H

#include "fixture.h"

static vqemu_store *store;
static vqemu_revision *revision;

static inline void make_store(void) {
    make_scratch();
    store = open_store(VQEMU_STORE_CREATE);
    revision = build(store, "2025-01-31T10:00:00Z");
}

static inline void remove_store(void) {
    vqemu_revision_unref(revision);
    vqemu_store_unref(store);
    remove_scratch();
}

#endif
