/* SPDX-License-Identifier: MIT */
/* The signatures of a revision, byte for byte as they were given: by digest, each once. */
#ifndef LIB_SIGNATURE_SET_H
#define LIB_SIGNATURE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"

#define SIGNATURES_MAX 16
#define SIGNATURE_SIZE_MAX ((size_t)4096)

struct signed_by {
    struct digest digest; /* of the bytes */
    char *bytes;
    size_t size;
};

struct signature_set {
    struct signed_by *items;
    size_t count;
};

bool signature_set_has(const struct signature_set *set, const struct digest *digest);

/* Add a copy. Returns 1, 0 if it is there already, -E2BIG if there are SIGNATURES_MAX, -EMSGSIZE if
 * it is empty or too large, or -ENOMEM. */
int signature_set_add(struct signature_set *set, const void *bytes, size_t size);

void signature_set_release(struct signature_set *set);
#define _cleanup_signature_set_ __attribute__((cleanup(signature_set_release)))

#endif
