/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "remote/push.h"
#include "util/export.h"

VQEMU_EXPORT const char *vqemu_push_digest(const vqemu_push *push) {
    return push ? push->digest : NULL;
}

VQEMU_EXPORT bool vqemu_push_is_new(const vqemu_push *push) {
    return push && push->is_new;
}

VQEMU_EXPORT size_t vqemu_push_blob_count(const vqemu_push *push) {
    return push ? push->blob_count : 0;
}

VQEMU_EXPORT uint64_t vqemu_push_bytes(const vqemu_push *push) {
    return push ? push->bytes : 0;
}

VQEMU_EXPORT size_t vqemu_push_new_blob_count(const vqemu_push *push) {
    return push ? push->new_blob_count : 0;
}

VQEMU_EXPORT uint64_t vqemu_push_new_bytes(const vqemu_push *push) {
    return push ? push->new_bytes : 0;
}

VQEMU_EXPORT void vqemu_push_free(vqemu_push *push) {
    free(push);
}
