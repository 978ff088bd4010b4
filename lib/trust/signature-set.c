/* SPDX-License-Identifier: MIT */
#include "trust/signature-set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void signature_set_release(struct signature_set *set) {
    for (size_t i = 0; i < set->count; i++)
        free(set->items[i].bytes);
    free(set->items);
    *set = (struct signature_set){0};
}

bool signature_set_has(const struct signature_set *set, const struct digest *digest) {
    for (size_t i = 0; i < set->count; i++)
        if (digest_equal(&set->items[i].digest, digest))
            return true;
    return false;
}

int signature_set_add(struct signature_set *set, const void *bytes, size_t size) {
    if (size == 0 || size > SIGNATURE_SIZE_MAX)
        return -EMSGSIZE;
    struct signed_by new = {digest_of_bytes(bytes, size), NULL, size};
    if (signature_set_has(set, &new.digest))
        return 0;
    if (set->count == SIGNATURES_MAX)
        return -E2BIG;
    if (!set->items)
        set->items = calloc(SIGNATURES_MAX, sizeof *set->items);
    new.bytes = set->items ? malloc(size) : NULL;
    if (!new.bytes)
        return -ENOMEM;
    memcpy(new.bytes, bytes, size);
    size_t at = set->count++;
    for (; at > 0 && strcmp(set->items[at - 1].digest.hex, new.digest.hex) > 0; at--)
        set->items[at] = set->items[at - 1];
    set->items[at] = new;
    return 1;
}
