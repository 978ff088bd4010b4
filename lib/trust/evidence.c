/* SPDX-License-Identifier: MIT */
#include "trust/evidence.h"

#include "util/export.h"

VQEMU_EXPORT const char *vqemu_evidence_source(const vqemu_evidence *evidence) {
    return evidence ? evidence->source : NULL;
}

VQEMU_EXPORT const char *vqemu_evidence_profile_name(const vqemu_evidence *evidence) {
    return evidence ? evidence->profile : NULL;
}

VQEMU_EXPORT const char *vqemu_evidence_manifest(const vqemu_evidence *evidence, size_t *size) {
    if (size)
        *size = evidence ? evidence->size : 0;
    return evidence ? evidence->text : NULL;
}

VQEMU_EXPORT const char *vqemu_evidence_digest(const vqemu_evidence *evidence) {
    return evidence ? evidence->digest : NULL;
}

VQEMU_EXPORT const char *vqemu_evidence_oci_digest(const vqemu_evidence *evidence) {
    return evidence ? evidence->oci_digest : NULL;
}

VQEMU_EXPORT int32_t vqemu_evidence_key(const vqemu_evidence *evidence) {
    return evidence ? evidence->key : -1;
}

VQEMU_EXPORT size_t vqemu_evidence_signature_count(const vqemu_evidence *evidence) {
    return evidence ? evidence->signatures->count : 0;
}

VQEMU_EXPORT const char *vqemu_evidence_signature(const vqemu_evidence *evidence, size_t index,
                                                  size_t *size) {
    const struct signed_by *item = evidence && index < evidence->signatures->count
                                       ? &evidence->signatures->items[index]
                                       : NULL;
    if (size)
        *size = item ? item->size : 0;
    return item ? item->bytes : NULL;
}
