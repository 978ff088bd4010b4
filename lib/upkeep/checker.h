/* SPDX-License-Identifier: MIT */
/* A check of a store under way: check.c, and what it looks at one after the other. */
#ifndef LIB_CHECKER_H
#define LIB_CHECKER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/digest-set.h"
#include "base/progress.h"
#include "store/revision.h"
#include "store/store.h"
#include "upkeep/check-report.h"

enum state { GOOD, MISSING, DAMAGED, NO_FILE, UNREADABLE, ANOTHERS };

struct finding {
    enum state state;
    int system_errno;
    uint64_t inode;
    unsigned owner;
    struct digest actual;    /* of a damaged one */
    struct problem *problem; /* once all have been reported */
};

/* A check under way. */
struct checker {
    vqemu_store *store;
    const char *name; /* of a revision or profile; NULL for all */
    int lock_fd, alt_fd, trees_fd;
    vqemu_revision_list *revisions;
    dev_t objects_device;
    struct digest_set objects, alternatives; /* the latter: what there is in alt/ */
    struct finding *findings, *alt_findings; /* for each object */
    unsigned char *buffers;                  /* one for each thread */
    unsigned threads;
    atomic_uint_least64_t bytes;
    struct vqemu_progress progress;
    vqemu_check *report;
};

/* check-objects.c. Return 0, -ENOMEM, or what reading a directory fails with. */
int checker_list_objects(struct checker *checker);
int checker_hash_all(struct checker *checker, vqemu_error **error);
/* Report what is wrong with objects, and where they are used. repair: also remove second copies
 * that are damaged. */
int checker_report_objects(struct checker *checker, bool repair);

/* check-signatures.c. Signatures that are damaged, and revisions that the store may not trust. */
int checker_check_signatures(struct checker *checker, vqemu_error **error);

/* check-trees.c. Trees that are not as they were assembled; 0, -ENOMEM or -ECANCELED. */
int checker_report_trees(struct checker *checker);
/* Who runs from the trees that problems touch. */
int checker_report_leases(struct checker *checker);
/* The revision that a tree is for, by its digest; NULL if there is none that can be read. */
vqemu_revision *checker_revision_of_tree(const struct checker *checker, const char *digest);

/* repair-trees.c. Assemble trees with problems, or links to damaged objects, anew. */
int checker_renew_trees(struct checker *checker, vqemu_error **error);

#endif
