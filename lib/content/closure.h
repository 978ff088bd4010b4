/* SPDX-License-Identifier: MIT */
/* What a profile's files ask for, and what of it is not there. */
#ifndef LIB_CLOSURE_H
#define LIB_CLOSURE_H

#include <volt-qemu/closure.h>

#include "base/progress.h"
#include "choice/profile.h"
#include "content/files.h"
#include "util/cleanup.h"

/* In the order in which they are listed. */
enum closure_state {
    CLOSURE_MISSING,
    CLOSURE_FROM_HOST,
    CLOSURE_UNUSABLE,
    CLOSURE_UNKNOWN,
    CLOSURE_OPTIONAL, /* the first that is no problem */
    CLOSURE_UNUSED,
};

enum closure_kind {
    CLOSURE_PROGRAM,
    CLOSURE_LOADER,
    CLOSURE_LIBRARY,
    CLOSURE_MODULE,
    CLOSURE_FIRMWARE,
    CLOSURE_KEYMAP,
    CLOSURE_ABILITY,
};

struct closure_entry {
    enum closure_kind kind;
    enum closure_state state;
    char *name, *asked_by, *message;
};

/* Whether guests of an architecture have an ability, where they can have it at all. */
struct closure_ability {
    uint64_t ability;
    const struct arch *guest;
    int state;  /* 1, 0, or -1 if it cannot be told */
    char *path; /* the file that has it, if there is one */
};

struct vqemu_closure {
    struct closure_entry *entries;
    size_t count, capacity, problems;
    struct closure_ability *abilities;
    size_t ability_count;
};

/*
 * Find out what a profile's files ask for. host_arch: what its programs run on; NULL if that is not
 * known. progress is asked whether to go on.
 */
int closure_find(const struct content_files *files, const vqemu_profile *profile,
                 const char *host_arch, struct vqemu_progress *progress, vqemu_closure **closure,
                 vqemu_error **error);
void closure_free(vqemu_closure *closure);

/* Add an entry, unless there is one of the same kind, state and name, or thousands. message belongs
 * to it then; NULL stands for no memory. Returns 0 or -ENOMEM. */
int closure_add(vqemu_closure *closure, enum closure_kind kind, enum closure_state state,
                const char *name, const char *asked_by, char *message);

bool closure_has(const vqemu_closure *closure, enum closure_kind kind, enum closure_state state,
                 const char *name);

/* Add an ability of a guest, of which there is none yet. path may be NULL. Returns 0 or -ENOMEM. */
int closure_add_ability(vqemu_closure *closure, uint64_t ability, const struct arch *guest,
                        int state, const char *path);

/* The abilities that all guests have, of those that can have them; UEFI firmware need not be there
 * for all. */
uint64_t closure_abilities(const vqemu_closure *closure);

/* Put the problems first. */
void closure_sort(vqemu_closure *closure);

DEFINE_CLEANUP(vqemu_closure, closure, closure_free);
#define _cleanup_closure_ _cleanup_(cleanup_closure)

#endif
