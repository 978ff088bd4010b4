/* SPDX-License-Identifier: MIT */
#include "upkeep/check-report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/export.h"

int report_add(vqemu_check *check, enum problem_kind kind, const char *digest, char *message) {
    if (message && check->count == check->capacity) {
        size_t capacity = check->capacity ? 2 * check->capacity : 16;
        struct problem *problems = realloc(check->problems, capacity * sizeof *problems);
        if (problems) {
            check->problems = problems;
            check->capacity = capacity;
        }
    }
    if (!message || check->count == check->capacity) {
        free(message);
        return -ENOMEM;
    }
    struct problem *problem = &check->problems[check->count++];
    *problem = (struct problem){.kind = kind, .message = message};
    strncpy(problem->digest.hex, digest, DIGEST_HEX_LENGTH);
    return 0;
}

int report_add_use(struct problem *problem, const char *revision, const char *path) {
    if (problem->use_count == problem->use_capacity) {
        size_t capacity = problem->use_capacity ? 2 * problem->use_capacity : 4;
        struct use *uses = realloc(problem->uses, capacity * sizeof *uses);
        if (!uses)
            return -ENOMEM;
        problem->uses = uses;
        problem->use_capacity = capacity;
    }
    struct use use = {strdup(revision), strdup(path)};
    if (!use.revision || !use.path) {
        free(use.revision);
        free(use.path);
        return -ENOMEM;
    }
    problem->uses[problem->use_count++] = use;
    return 0;
}

int report_add_lease(struct problem *problem, const struct tree_user *holder) {
    struct tree_user *leases =
        realloc(problem->leases, (problem->lease_count + 1) * sizeof *leases);
    if (!leases)
        return -ENOMEM;
    problem->leases = leases;
    leases[problem->lease_count++] = *holder;
    return 0;
}

/* ---- access ---- */

static const struct problem *problem_at(const vqemu_check *check, size_t index) {
    return check && index < check->count ? &check->problems[index] : NULL;
}

static const struct use *use_at(const vqemu_check *check, size_t index, size_t use) {
    const struct problem *problem = problem_at(check, index);
    return problem && use < problem->use_count ? &problem->uses[use] : NULL;
}

static const struct tree_user *process_at(const vqemu_check *check, size_t index, size_t process) {
    const struct problem *problem = problem_at(check, index);
    return problem && process < problem->lease_count ? &problem->leases[process] : NULL;
}

VQEMU_EXPORT size_t vqemu_check_object_count(const vqemu_check *check) {
    return check ? check->objects : 0;
}

VQEMU_EXPORT uint64_t vqemu_check_bytes(const vqemu_check *check) {
    return check ? check->bytes : 0;
}

VQEMU_EXPORT size_t vqemu_check_problem_count(const vqemu_check *check) {
    return check ? check->count : 0;
}

VQEMU_EXPORT size_t vqemu_check_unrepaired_count(const vqemu_check *check) {
    size_t left = 0;
    for (size_t i = 0; check && i < check->count; i++)
        left += !check->problems[i].repaired;
    return left;
}

VQEMU_EXPORT const char *vqemu_check_problem_kind(const vqemu_check *check, size_t problem) {
    static const char *const names[] = {
        [PROBLEM_MISSING] = "missing",
        [PROBLEM_DAMAGED] = "damaged",
        [PROBLEM_TREE] = "tree",
        [PROBLEM_REVISION] = "revision",
    };
    const struct problem *found = problem_at(check, problem);
    return found ? names[found->kind] : NULL;
}

VQEMU_EXPORT const char *vqemu_check_problem_digest(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found ? found->digest.hex : NULL;
}

VQEMU_EXPORT const char *vqemu_check_problem_message(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found ? found->message : NULL;
}

VQEMU_EXPORT bool vqemu_check_problem_repaired(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found && found->repaired;
}

VQEMU_EXPORT size_t vqemu_check_use_count(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found ? found->use_count : 0;
}

VQEMU_EXPORT const char *vqemu_check_use_revision(const vqemu_check *check, size_t problem,
                                                  size_t use) {
    const struct use *found = use_at(check, problem, use);
    return found ? found->revision : NULL;
}

VQEMU_EXPORT const char *vqemu_check_use_path(const vqemu_check *check, size_t problem,
                                              size_t use) {
    const struct use *found = use_at(check, problem, use);
    return found ? found->path : NULL;
}

VQEMU_EXPORT size_t vqemu_check_process_count(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found ? found->lease_count : 0;
}

VQEMU_EXPORT const char *vqemu_check_process_tree(const vqemu_check *check, size_t problem,
                                                  size_t process) {
    const struct tree_user *found = process_at(check, problem, process);
    return found ? found->tree : NULL;
}

VQEMU_EXPORT int64_t vqemu_check_process_pid(const vqemu_check *check, size_t problem,
                                             size_t process) {
    const struct tree_user *found = process_at(check, problem, process);
    return found ? found->pid : 0;
}

VQEMU_EXPORT const char *vqemu_check_process_command(const vqemu_check *check, size_t problem,
                                                     size_t process) {
    const struct tree_user *found = process_at(check, problem, process);
    return found ? found->command : NULL;
}

static void free_problem(struct problem *problem) {
    for (size_t i = 0; i < problem->use_count; i++) {
        free(problem->uses[i].revision);
        free(problem->uses[i].path);
    }
    free(problem->uses);
    free(problem->leases);
    free(problem->message);
}

VQEMU_EXPORT void vqemu_check_free(vqemu_check *check) {
    if (!check)
        return;
    for (size_t i = 0; i < check->count; i++)
        free_problem(&check->problems[i]);
    free(check->problems);
    free(check);
}
