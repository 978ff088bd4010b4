/* SPDX-License-Identifier: MIT */
#include "upkeep/collection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/export.h"

int collection_add(vqemu_collection *collection, enum removed_kind kind, const char *name,
                   uint64_t bytes) {
    if (collection->count == collection->capacity) {
        size_t capacity = collection->capacity ? 2 * collection->capacity : 64;
        struct removed *larger = realloc(collection->items, capacity * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        collection->items = larger;
        collection->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    collection->items[collection->count++] = (struct removed){kind, copy, bytes};
    collection->freed += bytes;
    return 0;
}

void collection_drop(vqemu_collection *collection, size_t index) {
    struct removed *item = &collection->items[index];
    collection->freed -= item->bytes;
    free(item->name);
    collection->count--;
    memmove(item, item + 1, (collection->count - index) * sizeof *item);
}

static int add_kept(vqemu_collection *collection, const char *kind, char *name, char *message) {
    if (collection->kept_count == collection->kept_capacity) {
        size_t capacity = collection->kept_capacity ? 2 * collection->kept_capacity : 16;
        struct kept *larger = realloc(collection->kept, capacity * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        collection->kept = larger;
        collection->kept_capacity = capacity;
    }
    collection->kept[collection->kept_count++] = (struct kept){kind, name, message};
    return 0;
}

int collection_keep(vqemu_collection *collection, const char *kind, const char *name,
                    char *message) {
    char *copy = strdup(name);
    int r = copy && message ? add_kept(collection, kind, copy, message) : -ENOMEM;
    if (r < 0) {
        free(copy);
        free(message);
    }
    return r;
}

/* ---- access ---- */

static const struct removed *removed_at(const vqemu_collection *collection, size_t index) {
    return collection && index < collection->count ? &collection->items[index] : NULL;
}

VQEMU_EXPORT size_t vqemu_collection_count(const vqemu_collection *collection) {
    return collection ? collection->count : 0;
}

VQEMU_EXPORT const char *vqemu_collection_kind(const vqemu_collection *collection, size_t index) {
    static const char *const names[] = {
        [REMOVED_REVISION] = "revision",
        [REMOVED_TREE] = "tree",
        [REMOVED_OBJECT] = "object",
        [REMOVED_STAGING] = "staging",
    };
    const struct removed *removed = removed_at(collection, index);
    return removed ? names[removed->kind] : NULL;
}

VQEMU_EXPORT const char *vqemu_collection_name(const vqemu_collection *collection, size_t index) {
    const struct removed *removed = removed_at(collection, index);
    return removed ? removed->name : NULL;
}

VQEMU_EXPORT uint64_t vqemu_collection_bytes(const vqemu_collection *collection, size_t index) {
    const struct removed *removed = removed_at(collection, index);
    return removed ? removed->bytes : 0;
}

VQEMU_EXPORT uint64_t vqemu_collection_freed_bytes(const vqemu_collection *collection) {
    return collection ? collection->freed : 0;
}

static const struct kept *kept_at(const vqemu_collection *collection, size_t index) {
    return collection && index < collection->kept_count ? &collection->kept[index] : NULL;
}

VQEMU_EXPORT size_t vqemu_collection_kept_count(const vqemu_collection *collection) {
    return collection ? collection->kept_count : 0;
}

VQEMU_EXPORT const char *vqemu_collection_kept_kind(const vqemu_collection *collection,
                                                    size_t index) {
    const struct kept *kept = kept_at(collection, index);
    return kept ? kept->kind : NULL;
}

VQEMU_EXPORT const char *vqemu_collection_kept_name(const vqemu_collection *collection,
                                                    size_t index) {
    const struct kept *kept = kept_at(collection, index);
    return kept ? kept->name : NULL;
}

VQEMU_EXPORT const char *vqemu_collection_kept_message(const vqemu_collection *collection,
                                                       size_t index) {
    const struct kept *kept = kept_at(collection, index);
    return kept ? kept->message : NULL;
}

VQEMU_EXPORT void vqemu_collection_free(vqemu_collection *collection) {
    if (!collection)
        return;
    for (size_t i = 0; i < collection->count; i++)
        free(collection->items[i].name);
    free(collection->items);
    for (size_t i = 0; i < collection->kept_count; i++) {
        free(collection->kept[i].name);
        free(collection->kept[i].message);
    }
    free(collection->kept);
    free(collection);
}
