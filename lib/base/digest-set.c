/* SPDX-License-Identifier: MIT */
#include "base/digest-set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int digest_set_add(struct digest_set *set, const struct digest *digest) {
    if (set->count == set->capacity) {
        size_t capacity = set->capacity ? 2 * set->capacity : 256;
        struct digest *digests = realloc(set->digests, capacity * sizeof *digests);
        if (!digests)
            return -ENOMEM;
        set->digests = digests;
        set->capacity = capacity;
    }
    set->digests[set->count++] = *digest;
    return 0;
}

static int compare(const void *a, const void *b) {
    return strcmp(((const struct digest *)a)->hex, ((const struct digest *)b)->hex);
}

void digest_set_sort(struct digest_set *set) {
    size_t kept = 0;
    if (set->count == 0)
        return;
    qsort(set->digests, set->count, sizeof *set->digests, compare);
    for (size_t i = 1; i < set->count; i++)
        if (!digest_equal(&set->digests[kept], &set->digests[i]))
            set->digests[++kept] = set->digests[i];
    set->count = kept + 1;
}

int64_t digest_set_find(const struct digest_set *set, const char *hex) {
    struct digest key;
    if (set->count == 0 || !digest_parse(hex, &key))
        return -1;
    const struct digest *found =
        bsearch(&key, set->digests, set->count, sizeof *set->digests, compare);
    return found ? found - set->digests : -1;
}

bool digest_set_has(const struct digest_set *set, const char *hex) {
    return digest_set_find(set, hex) >= 0;
}

void digest_set_release(struct digest_set *set) {
    free(set->digests);
    *set = (struct digest_set){0};
}
