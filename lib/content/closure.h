/* SPDX-License-Identifier: MIT */
/* What a profile's files ask for, and what of it is not there. */
#ifndef LIB_CLOSURE_H
#define LIB_CLOSURE_H

#include <volt-qemu/closure.h>

#include "base/progress.h"
#include "choice/profile.h"
#include "content/layout.h"
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
};

struct closure_entry {
    enum closure_kind kind;
    enum closure_state state;
    char *name, *asked_by, *message;
};

struct vqemu_closure {
    struct closure_entry *entries;
    size_t count, capacity, problems;
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

/* Put the problems first. */
void closure_sort(vqemu_closure *closure);

DEFINE_CLEANUP(vqemu_closure, closure, closure_free);
#define _cleanup_closure_ _cleanup_(cleanup_closure)

#endif
