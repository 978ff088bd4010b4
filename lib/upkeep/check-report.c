/* SPDX-License-Identifier: MIT */
#include "upkeep/check-report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/export.h"
#include "util/strbuf.h"
#include "util/word.h"

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

int report_add_place(struct problem *problem, const char *revision, const char *path) {
    if (problem->place_count == problem->place_capacity) {
        size_t capacity = problem->place_capacity ? 2 * problem->place_capacity : 4;
        struct place *places = realloc(problem->places, capacity * sizeof *places);
        if (!places)
            return -ENOMEM;
        problem->places = places;
        problem->place_capacity = capacity;
    }
    struct place place = {strdup(revision), strdup(path)};
    if (!place.revision || !place.path) {
        free(place.revision);
        free(place.path);
        return -ENOMEM;
    }
    problem->places[problem->place_count++] = place;
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

static int add_closure_problem(vqemu_check *check, const char *revision,
                               const struct closure_entry *entry) {
    int r = report_add(check, PROBLEM_CLOSURE, "",
                       format_string("revision %s: %s", revision, entry->message));
    return r == 0 ? report_add_place(&check->problems[check->count - 1], revision,
                                     *entry->asked_by ? entry->asked_by : entry->name)
                  : r;
}

static int keep_closure(vqemu_check *check, const char *revision, vqemu_closure *closure) {
    struct revision_closure *closures =
        realloc(check->closures, (check->closure_count + 1) * sizeof *closures);
    if (closures)
        check->closures = closures;
    char *name = strdup(revision);
    if (!closures || !name) {
        free(name);
        closure_free(closure);
        return -ENOMEM;
    }
    closures[check->closure_count++] = (struct revision_closure){name, closure};
    return 0;
}

int report_add_closure(vqemu_check *check, const char *revision, vqemu_closure *closure) {
    int r = keep_closure(check, revision, closure);
    for (size_t i = 0; r == 0 && i < closure->problems; i++)
        r = add_closure_problem(check, revision, &closure->entries[i]);
    return r;
}

/* ---- access ---- */

static const struct problem *problem_at(const vqemu_check *check, size_t index) {
    return check && index < check->count ? &check->problems[index] : NULL;
}

static const struct place *place_at(const vqemu_check *check, size_t index, size_t place) {
    const struct problem *problem = problem_at(check, index);
    return problem && place < problem->place_count ? &problem->places[place] : NULL;
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
        [PROBLEM_MISSING] = "missing", [PROBLEM_DAMAGED] = "damaged",
        [PROBLEM_TREE] = "tree",       [PROBLEM_REVISION] = "revision",
        [PROBLEM_CLOSURE] = "closure", [PROBLEM_SIGNATURE] = "signature",
    };
    const struct problem *found = problem_at(check, problem);
    return found ? names[found->kind] : NULL;
}

VQEMU_EXPORT const char *vqemu_check_problem_digest(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found ? null_if_empty(found->digest.hex) : NULL;
}

VQEMU_EXPORT const char *vqemu_check_problem_message(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found ? found->message : NULL;
}

VQEMU_EXPORT bool vqemu_check_problem_repaired(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found && found->repaired;
}

VQEMU_EXPORT size_t vqemu_check_place_count(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found ? found->place_count : 0;
}

VQEMU_EXPORT const char *vqemu_check_place_revision_name(const vqemu_check *check, size_t problem,
                                                         size_t place) {
    const struct place *found = place_at(check, problem, place);
    return found ? found->revision : NULL;
}

VQEMU_EXPORT const char *vqemu_check_place_path(const vqemu_check *check, size_t problem,
                                                size_t place) {
    const struct place *found = place_at(check, problem, place);
    return found ? found->path : NULL;
}

VQEMU_EXPORT size_t vqemu_check_closure_count(const vqemu_check *check) {
    return check ? check->closure_count : 0;
}

VQEMU_EXPORT const char *vqemu_check_closure_revision_name(const vqemu_check *check,
                                                           size_t closure) {
    return check && closure < check->closure_count ? check->closures[closure].revision : NULL;
}

VQEMU_EXPORT const vqemu_closure *vqemu_check_closure(const vqemu_check *check, size_t closure) {
    return check && closure < check->closure_count ? check->closures[closure].closure : NULL;
}

VQEMU_EXPORT size_t vqemu_check_process_count(const vqemu_check *check, size_t problem) {
    const struct problem *found = problem_at(check, problem);
    return found ? found->lease_count : 0;
}

VQEMU_EXPORT const char *vqemu_check_process_tree_name(const vqemu_check *check, size_t problem,
                                                       size_t process) {
    const struct tree_user *found = process_at(check, problem, process);
    return found ? found->tree : NULL;
}

VQEMU_EXPORT int64_t vqemu_check_process_pid(const vqemu_check *check, size_t problem,
                                             size_t process) {
    const struct tree_user *found = process_at(check, problem, process);
    return found ? found->pid : 0;
}

VQEMU_EXPORT const char *vqemu_check_process_name(const vqemu_check *check, size_t problem,
                                                  size_t process) {
    const struct tree_user *found = process_at(check, problem, process);
    return found ? null_if_empty(found->command) : NULL;
}

static void free_problem(struct problem *problem) {
    for (size_t i = 0; i < problem->place_count; i++) {
        free(problem->places[i].revision);
        free(problem->places[i].path);
    }
    free(problem->places);
    free(problem->leases);
    free(problem->message);
}

VQEMU_EXPORT void vqemu_check_free(vqemu_check *check) {
    if (!check)
        return;
    for (size_t i = 0; i < check->count; i++)
        free_problem(&check->problems[i]);
    for (size_t i = 0; i < check->closure_count; i++) {
        free(check->closures[i].revision);
        closure_free(check->closures[i].closure);
    }
    free(check->problems);
    free(check->closures);
    free(check);
}
