/* SPDX-License-Identifier: MIT */
/* Trees that are not as they were assembled, or keep damaged objects, are made anew. */
#include "upkeep/checker.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tree/assemble.h"
#include "tree/lease.h"
#include "util/fd.h"
#include "util/strbuf.h"

static bool has_revision_problem(const vqemu_check *report) {
    for (size_t i = 0; i < report->count; i++)
        if (report->problems[i].kind == PROBLEM_REVISION)
            return true;
    return false;
}

/* Whether it is certain that no process runs from a tree. */
static bool has_no_user(const struct checker *checker, const char *name) {
    _cleanup_tree_users_ struct tree_users users = {0};
    return tree_users_find(checker->store->trees_path, checker->trees_fd, NULL, &users, NULL) ==
               0 &&
           !tree_users_of(&users, name);
}

/*
 * A tree that no revision is for can only be removed, and only if nobody uses it. Where a revision
 * cannot be read, it may be that one's.
 */
static bool remove_unused(const struct checker *checker, const char *name) {
    return !has_revision_problem(checker->report) && has_no_user(checker, name) &&
           lease_remove_tree(checker->trees_fd, name) == 1;
}

static bool has_damage(const vqemu_check *report, const char *revision_name) {
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; j < report->problems[i].place_count; j++)
            if (strcmp(report->problems[i].places[j].revision, revision_name) == 0)
                return true;
    return false;
}

/* Where it cannot be told, making it anew tells why. */
static bool has_tree(const struct checker *checker, const char *digest) {
    return exists_at(checker->trees_fd, digest) != 0;
}

/*
 * Returns 0 if the tree is good now; 1 if it could not be made so, with why (owned by the caller);
 * or an error to give up for.
 */
static int reassemble(struct checker *checker, vqemu_revision *revision, char **why,
                      vqemu_error **error) {
    _cleanup_error_ vqemu_error *problem = NULL;
    int r = assemble_tree(checker->store, revision, checker->trees_fd, true, &checker->progress,
                          NULL, &problem);
    if (r == 0)
        return 0;
    if (!error_ends_call(r)) {
        *why = strdup(vqemu_error_message(problem));
        return *why ? 1 : error_no_memory(error);
    }
    if (error)
        *error = TAKE_POINTER(problem);
    return r;
}

/* Add to a problem why it could not be put right. */
static int explain(struct problem *problem, const char *why, vqemu_error **error) {
    char *message = format_string("%s; it cannot be assembled anew: %s", problem->message, why);
    if (!message)
        return error_no_memory(error);
    free(problem->message);
    problem->message = message;
    return 0;
}

static int repair_tree_problem(struct checker *checker, struct problem *problem,
                               vqemu_error **error) {
    vqemu_revision *revision = checker_revision_of_tree(checker, problem->digest.hex);
    if (!revision) {
        problem->repaired = remove_unused(checker, problem->digest.hex);
        return 0;
    }
    _cleanup_free_ char *why = NULL;
    int r = reassemble(checker, revision, &why, error);
    problem->repaired = r == 0;
    return r == 1 ? explain(problem, why, error) : r;
}

/* A tree keeps its links to a damaged inode when the object gets another one. */
static int renew_tree(struct checker *checker, vqemu_revision *revision, vqemu_error **error) {
    _cleanup_free_ char *why = NULL;
    int r = reassemble(checker, revision, &why, error);
    if (r != 1)
        return r;
    char *message = format_string("tree %s/%s has links to damaged content; it cannot be "
                                  "assembled anew: %s",
                                  checker->store->trees_path, revision_digest(revision), why);
    r = report_add(checker->report, PROBLEM_TREE, revision_digest(revision), message);
    if (r == 0)
        r = report_add_place(&checker->report->problems[checker->report->count - 1],
                             vqemu_revision_name(revision), "");
    return r < 0 ? error_no_memory(error) : 0;
}

static bool has_tree_problem(const struct checker *checker, const char *digest) {
    for (size_t i = 0; i < checker->report->count; i++)
        if (checker->report->problems[i].kind == PROBLEM_TREE &&
            strcmp(checker->report->problems[i].digest.hex, digest) == 0)
            return true;
    return false;
}

int checker_renew_trees(struct checker *checker, vqemu_error **error) {
    size_t count = checker->report->count;
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        if (checker->report->problems[i].kind == PROBLEM_TREE)
            r = repair_tree_problem(checker, &checker->report->problems[i], error);
    for (size_t i = 0; r == 0 && i < vqemu_revision_list_count(checker->revisions); i++) {
        vqemu_revision *revision = vqemu_revision_list_at(checker->revisions, i);
        if (!vqemu_revision_error(revision) &&
            has_damage(checker->report, vqemu_revision_name(revision)) &&
            has_tree(checker, revision_digest(revision)) &&
            !has_tree_problem(checker, revision_digest(revision)))
            r = renew_tree(checker, revision, error);
    }
    return r;
}
