/* SPDX-License-Identifier: MIT */
/* Which digests belong to something. Add all, then look up. */
#ifndef LIB_DIGEST_SET_H
#define LIB_DIGEST_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct digest_set {
    struct digest *digests; /* sorted and each once after digest_set_sort() */
    size_t count, capacity;
};

/* Returns 0 or -ENOMEM. */
int digest_set_add(struct digest_set *set, const struct digest *digest);

void digest_set_sort(struct digest_set *set);
/* After sorting: whether a digest, given as text, is in the set; and where, or -1. */
bool digest_set_has(const struct digest_set *set, const char *hex);
int64_t digest_set_find(const struct digest_set *set, const char *hex);
void digest_set_release(struct digest_set *set);

#define _cleanup_digest_set_ __attribute__((cleanup(digest_set_release)))

#endif
