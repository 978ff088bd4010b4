/* SPDX-License-Identifier: MIT */
#include "store/signature-choice.h"

#include <errno.h>
#include <stdbool.h>

struct candidate {
    const struct signed_by *item;
    bool is_good; /* the first that is, of its key */
};

struct candidates {
    struct candidate items[2 * SIGNATURES_MAX];
    size_t count;
};

static void add_all(struct candidates *candidates, const struct signature_set *set) {
    for (size_t i = 0; i < set->count; i++)
        candidates->items[candidates->count++].item = &set->items[i];
}

/* Of a good one, anybody can make others that are good, too: by another comment in it. */
static int mark_good(struct candidates *candidates, const vqemu_trust *trust,
                     const struct vqemu_evidence *evidence) {
    int32_t keys[2 * SIGNATURES_MAX];
    int r = 0;
    for (size_t i = 0; trust && r == 0 && i < candidates->count; i++) {
        r = trust_find_signer(trust, evidence, candidates->items[i].item, &keys[i]);
        bool is_first = r == 0 && keys[i] >= 0;
        for (size_t j = 0; is_first && j < i; j++)
            is_first = keys[j] != keys[i];
        candidates->items[i].is_good |= is_first;
    }
    return r;
}

static int take(const struct candidates *candidates, bool is_good, struct signature_set *chosen,
                size_t *left_out) {
    for (size_t i = 0; i < candidates->count; i++) {
        const struct candidate *candidate = &candidates->items[i];
        if (candidate->is_good != is_good)
            continue;
        int r = signature_set_add(chosen, candidate->item->bytes, candidate->item->size);
        if (r == -ENOMEM)
            return r;
        *left_out += r == -E2BIG;
    }
    return 0;
}

int signatures_choose(const struct signature_set *there, const struct vqemu_evidence *evidence,
                      const vqemu_trust *const trusts[2], struct signature_set *chosen,
                      size_t *left_out) {
    struct candidates candidates = {.count = 0};
    *left_out = 0;
    add_all(&candidates, there);
    add_all(&candidates, evidence->signatures);
    int r = mark_good(&candidates, trusts[0], evidence);
    if (r == 0)
        r = mark_good(&candidates, trusts[1], evidence);
    if (r == 0)
        r = take(&candidates, true, chosen, left_out);
    return r == 0 ? take(&candidates, false, chosen, left_out) : r;
}
