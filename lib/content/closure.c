/* SPDX-License-Identifier: MIT */
#include "content/closure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/export.h"

static bool is_same(const struct closure_entry *entry, enum closure_kind kind,
                    enum closure_state state, const char *name) {
    return entry->kind == kind && entry->state == state && strcmp(entry->name, name) == 0;
}

static bool grow(vqemu_closure *closure) {
    if (closure->count < closure->capacity)
        return true;
    size_t capacity = closure->capacity ? 2 * closure->capacity : 32;
    struct closure_entry *entries = realloc(closure->entries, capacity * sizeof *entries);
    if (!entries)
        return false;
    closure->entries = entries;
    closure->capacity = capacity;
    return true;
}

static void free_entry(struct closure_entry *entry) {
    free(entry->name);
    free(entry->asked_by);
    free(entry->message);
}

/* More than any profile has; a hostile one could have them without end. */
#define ENTRIES_MAX 4096

static bool is_full(const vqemu_closure *closure, enum closure_state state) {
    return (state < CLOSURE_OPTIONAL ? closure->problems : closure->count - closure->problems) >=
           ENTRIES_MAX;
}

bool closure_has(const vqemu_closure *closure, enum closure_kind kind, enum closure_state state,
                 const char *name) {
    for (size_t i = 0; i < closure->count; i++)
        if (is_same(&closure->entries[i], kind, state, name))
            return true;
    return false;
}

int closure_add(vqemu_closure *closure, enum closure_kind kind, enum closure_state state,
                const char *name, const char *asked_by, char *message) {
    if (is_full(closure, state) || closure_has(closure, kind, state, name)) {
        free(message);
        return 0;
    }
    struct closure_entry entry = {kind, state, strdup(name), strdup(asked_by), message};
    if (!entry.name || !entry.asked_by || !message || !grow(closure)) {
        free_entry(&entry);
        return -ENOMEM;
    }
    closure->entries[closure->count++] = entry;
    closure->problems += state < CLOSURE_OPTIONAL;
    return 0;
}

static int compare(const void *a, const void *b) {
    const struct closure_entry *x = a, *y = b;
    int order = (int)x->state - (int)y->state;
    if (order == 0)
        order = (int)x->kind - (int)y->kind;
    return order ? order : strcmp(x->name, y->name);
}

void closure_sort(vqemu_closure *closure) {
    if (closure->count > 1)
        qsort(closure->entries, closure->count, sizeof *closure->entries, compare);
}

void closure_free(vqemu_closure *closure) {
    if (!closure)
        return;
    for (size_t i = 0; i < closure->count; i++)
        free_entry(&closure->entries[i]);
    free(closure->entries);
    free(closure);
}

/* ---- access ---- */

static const struct closure_entry *entry_at(const vqemu_closure *closure, size_t entry) {
    return closure && entry < closure->count ? &closure->entries[entry] : NULL;
}

VQEMU_EXPORT size_t vqemu_closure_count(const vqemu_closure *closure) {
    return closure ? closure->count : 0;
}

VQEMU_EXPORT size_t vqemu_closure_problem_count(const vqemu_closure *closure) {
    return closure ? closure->problems : 0;
}

VQEMU_EXPORT const char *vqemu_closure_kind(const vqemu_closure *closure, size_t entry) {
    static const char *const names[] = {
        [CLOSURE_PROGRAM] = "program",   [CLOSURE_LOADER] = "loader",
        [CLOSURE_LIBRARY] = "library",   [CLOSURE_MODULE] = "module",
        [CLOSURE_FIRMWARE] = "firmware", [CLOSURE_KEYMAP] = "keymap",
    };
    const struct closure_entry *found = entry_at(closure, entry);
    return found ? names[found->kind] : NULL;
}

VQEMU_EXPORT const char *vqemu_closure_state(const vqemu_closure *closure, size_t entry) {
    static const char *const names[] = {
        [CLOSURE_MISSING] = "missing",   [CLOSURE_FROM_HOST] = "from-host",
        [CLOSURE_UNUSABLE] = "unusable", [CLOSURE_UNKNOWN] = "unknown",
        [CLOSURE_OPTIONAL] = "optional", [CLOSURE_UNUSED] = "unused",
    };
    const struct closure_entry *found = entry_at(closure, entry);
    return found ? names[found->state] : NULL;
}

VQEMU_EXPORT const char *vqemu_closure_name(const vqemu_closure *closure, size_t entry) {
    const struct closure_entry *found = entry_at(closure, entry);
    return found ? found->name : NULL;
}

VQEMU_EXPORT const char *vqemu_closure_asked_by(const vqemu_closure *closure, size_t entry) {
    const struct closure_entry *found = entry_at(closure, entry);
    return found ? found->asked_by : NULL;
}

VQEMU_EXPORT const char *vqemu_closure_message(const vqemu_closure *closure, size_t entry) {
    const struct closure_entry *found = entry_at(closure, entry);
    return found ? found->message : NULL;
}
