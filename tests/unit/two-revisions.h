/* SPDX-License-Identifier: MIT */
/* A store that has two revisions of a profile. */
#ifndef TEST_TWO_REVISIONS_H
#define TEST_TWO_REVISIONS_H

#include "fixture.h"

static vqemu_store *store;
static vqemu_revision *older, *newer;

static inline void make_store(void) {
    make_scratch();
    store = open_store(VQEMU_STORE_CREATE);
    older = build(store, "2025-01-31T10:00:00Z");
    write_file("profile/firmware/bios.bin", "newer", 0644);
    newer = build(store, "2025-02-01T10:00:00Z");
}

static inline void remove_store(void) {
    vqemu_revision_unref(older);
    vqemu_revision_unref(newer);
    vqemu_store_unref(store);
    remove_scratch();
}

#endif
