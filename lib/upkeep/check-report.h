/* SPDX-License-Identifier: MIT */
/* The findings of a check, as they are collected. */
#ifndef LIB_CHECK_REPORT_H
#define LIB_CHECK_REPORT_H

#include <volt-qemu/check.h>

#include "base/digest.h"
#include "content/closure.h"
#include "tree/tree-users.h"

enum problem_kind {
    PROBLEM_MISSING,
    PROBLEM_DAMAGED,
    PROBLEM_TREE,
    PROBLEM_REVISION,
    PROBLEM_CLOSURE,
    PROBLEM_SIGNATURE
};

struct place {
    char *revision, *path;
};

struct problem {
    enum problem_kind kind;
    struct digest digest; /* "" for a revision, a closure and a signature */
    char *message;
    bool repaired;
    bool alternative;     /* an inode in alt/, which is put right by removing it */
    bool executable;      /* of an object: whether a revision wants it so */
    bool is_content_good; /* only its owner is not */
    struct place *places;
    size_t place_count, place_capacity;
    struct tree_user *leases;
    size_t lease_count;
};

struct revision_closure {
    char *revision;
    vqemu_closure *closure;
};

struct vqemu_check {
    size_t objects;
    uint64_t bytes;
    struct problem *problems;
    size_t count, capacity;
    struct revision_closure *closures;
    size_t closure_count;
};

/* All return 0 or -ENOMEM. message belongs to the report then; NULL stands for no memory. */
int report_add(vqemu_check *check, enum problem_kind kind, const char *digest, char *message);
int report_add_place(struct problem *problem, const char *revision, const char *path);
/* Takes ownership of the closure, and adds its problems. */
int report_add_closure(vqemu_check *check, const char *revision, vqemu_closure *closure);
int report_add_lease(struct problem *problem, const struct tree_user *holder);

#endif
