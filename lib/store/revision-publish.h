/* SPDX-License-Identifier: MIT */
/* Manifests become revisions. */
#ifndef LIB_REVISION_PUBLISH_H
#define LIB_REVISION_PUBLISH_H

#include <stdbool.h>

#include "store/revision.h"

/* What became of a manifest. */
struct published {
    vqemu_revision *revision;
    bool is_new;
    vqemu_revision *displaced; /* which one was the newest before it came; NULL for none */
};

/*
 * Write a manifest into the store as the revision <profile>-<first 8 digits of its digest>: one
 * that the store did not have is the newest of its profile from then on. text: the very text that
 * it was loaded from; NULL for the text that vqemu_manifest_to_json() makes.
 */
int revision_publish(const vqemu_store *store, const char *profile, vqemu_manifest *manifest,
                     const char *text, vqemu_call *call, struct published *published,
                     vqemu_error **error);

/* Also after a failure. */
void published_release(struct published *published);

#endif
