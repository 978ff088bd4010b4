/* SPDX-License-Identifier: MIT */
/*
 * Where a decision comes from: the key of the VM that says it, or that would, and for what the VM
 * does not say, why it is so. All of it is static, but for names that are QEMU's.
 */
#ifndef LIB_ORIGIN_H
#define LIB_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "util/strbuf.h"

struct origin {
    const char *list, *inner; /* "disks" and "backing", or NULL */
    uint32_t index, inner_index;
    const char *key;     /* NULL: the element itself, or no key at all */
    const char *name;    /* of one of the values that the key has, as in "slots.nic0", or NULL */
    const char *message; /* in words; NULL: the VM says so by its key */
};

/* message, here and below: NULL for what the VM says. */
static inline struct origin origin_key(const char *key, const char *message) {
    return (struct origin){.key = key, .message = message};
}

/* "disks[0].cache", or "disks[0]" without a key. */
static inline struct origin origin_in(const char *list, size_t index, const char *key,
                                      const char *message) {
    return (struct origin){.list = list, .index = (uint32_t)index, .key = key, .message = message};
}

/* "slots.nic0" */
static inline struct origin origin_named(const char *key, const char *name, const char *message) {
    return (struct origin){.key = key, .name = name, .message = message};
}

/* What no key of the VM changes. */
static inline struct origin origin_none(const char *message) {
    return (struct origin){.message = message};
}

/* The same element, or VM, by another key. */
static inline struct origin origin_beside(struct origin origin, const char *key,
                                          const char *message) {
    origin.key = key;
    origin.name = NULL;
    origin.message = message;
    return origin;
}

/* Whether there is a key, and whether there is anything. */
static inline bool origin_has_key(const struct origin *origin) {
    return origin->key || origin->list;
}

static inline bool origin_is_said(const struct origin *origin) {
    return origin_has_key(origin) || origin->message;
}

/* Whether the VM could say it by the key, and does not: then the message begins with "default". */
bool origin_is_default(const struct origin *origin);

/* "disks[0].backing[1].file"; nothing if there is no key. */
void origin_add_key(const struct origin *origin, struct strbuf *text);

#endif
