/* SPDX-License-Identifier: MIT */
#include "store/ingest-result.h"

#include <stdlib.h>

#include "util/export.h"

VQEMU_EXPORT vqemu_revision *vqemu_ingest_revision(const vqemu_ingest *ingest) {
    return ingest ? ingest->revision : NULL;
}

VQEMU_EXPORT bool vqemu_ingest_is_new(const vqemu_ingest *ingest) {
    return ingest && ingest->is_new;
}

VQEMU_EXPORT const char *vqemu_ingest_current(const vqemu_ingest *ingest) {
    return ingest ? ingest->current : NULL;
}

VQEMU_EXPORT vqemu_revision *vqemu_ingest_displaced(const vqemu_ingest *ingest) {
    return ingest ? ingest->displaced : NULL;
}

VQEMU_EXPORT const vqemu_closure *vqemu_ingest_closure(const vqemu_ingest *ingest) {
    return ingest ? ingest->closure : NULL;
}

VQEMU_EXPORT size_t vqemu_ingest_object_count(const vqemu_ingest *ingest) {
    return ingest ? ingest->object_count : 0;
}

VQEMU_EXPORT uint64_t vqemu_ingest_bytes(const vqemu_ingest *ingest) {
    return ingest ? ingest->bytes : 0;
}

VQEMU_EXPORT size_t vqemu_ingest_new_object_count(const vqemu_ingest *ingest) {
    return ingest ? ingest->new_object_count : 0;
}

VQEMU_EXPORT uint64_t vqemu_ingest_new_bytes(const vqemu_ingest *ingest) {
    return ingest ? ingest->new_bytes : 0;
}

VQEMU_EXPORT void vqemu_ingest_free(vqemu_ingest *ingest) {
    if (!ingest)
        return;
    vqemu_revision_unref(ingest->revision);
    vqemu_revision_unref(ingest->displaced);
    closure_free(ingest->closure);
    free(ingest->current);
    free(ingest);
}
