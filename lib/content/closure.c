/* SPDX-License-Identifier: MIT */
#include "content/closure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "util/export.h"
#include "util/utf8.h"
#include "util/word.h"

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

/* A file can ask for a library by any bytes; paths in profiles are UTF-8. */
static char *utf8_name(const char *name) {
    return utf8_is_valid(name) ? strdup(name) : make_printable(name);
}

int closure_add(vqemu_closure *closure, enum closure_kind kind, enum closure_state state,
                const char *name, const char *asked_by, char *message) {
    struct closure_entry entry = {kind, state, utf8_name(name), strdup(asked_by),
                                  message ? make_printable(message) : NULL};
    bool is_complete = entry.name && entry.asked_by && entry.message;
    bool is_wanted =
        is_complete && !is_full(closure, state) && !closure_has(closure, kind, state, entry.name);
    free(message);
    if (!is_wanted || !grow(closure)) {
        free_entry(&entry);
        return is_complete && !is_wanted ? 0 : -ENOMEM;
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
    for (size_t i = 0; i < closure->ability_count; i++)
        free(closure->abilities[i].path);
    free(closure->entries);
    free(closure->abilities);
    free(closure);
}

/* ---- abilities ---- */

int closure_add_ability(vqemu_closure *closure, uint64_t ability, const struct arch *guest,
                        int state, const char *path) {
    struct closure_ability *abilities =
        realloc(closure->abilities, (closure->ability_count + 1) * sizeof *abilities);
    if (!abilities)
        return -ENOMEM;
    closure->abilities = abilities;
    struct closure_ability *added = &abilities[closure->ability_count];
    *added = (struct closure_ability){ability, guest, state, path ? strdup(path) : NULL};
    if (path && !added->path)
        return -ENOMEM;
    closure->ability_count++;
    return 0;
}

static int rank(int state) {
    return state == 0 ? 0 : state < 0 ? 1 : 2;
}

/* Of a guest, or of all that can have it, guest being NULL: what decides; NULL for nothing. */
static const struct closure_ability *judge(const vqemu_closure *closure, uint64_t ability,
                                           const struct arch *guest) {
    const struct closure_ability *decisive = NULL;
    bool one_will_do = ability == VQEMU_ABILITY_UEFI;
    for (size_t i = 0; closure && i < closure->ability_count; i++) {
        const struct closure_ability *one = &closure->abilities[i];
        if (one->ability != ability || (guest && one->guest != guest))
            continue;
        if (!decisive || (one_will_do ? rank(one->state) > rank(decisive->state)
                                      : rank(one->state) < rank(decisive->state)))
            decisive = one;
    }
    return decisive;
}

uint64_t closure_abilities(const vqemu_closure *closure) {
    uint64_t all = 0;
    for (unsigned bit = 0; bit < 64; bit++) {
        const struct closure_ability *one = judge(closure, (uint64_t)1 << bit, NULL);
        if (one && one->state == 1)
            all |= one->ability;
    }
    return all;
}

/* The same for who names an architecture, which may be none. */
static const struct closure_ability *judge_named(const vqemu_closure *closure, uint64_t ability,
                                                 const char *guest_arch) {
    const struct arch *guest = arch_find(guest_arch);
    return guest || !guest_arch ? judge(closure, ability, guest) : NULL;
}

VQEMU_EXPORT int vqemu_closure_has_ability(const vqemu_closure *closure, uint64_t ability,
                                           const char *guest_arch) {
    const struct closure_ability *found = judge_named(closure, ability, guest_arch);
    if (!closure)
        return -1;
    return found ? found->state : 0;
}

VQEMU_EXPORT const char *vqemu_closure_ability_path(const vqemu_closure *closure, uint64_t ability,
                                                    const char *guest_arch) {
    const struct closure_ability *found = judge_named(closure, ability, guest_arch);
    return found && found->state == 1 ? found->path : NULL;
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
        [CLOSURE_ABILITY] = "ability",
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
    return found ? null_if_empty(found->asked_by) : NULL;
}

VQEMU_EXPORT const char *vqemu_closure_message(const vqemu_closure *closure, size_t entry) {
    const struct closure_entry *found = entry_at(closure, entry);
    return found ? found->message : NULL;
}
