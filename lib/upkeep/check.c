/* SPDX-License-Identifier: MIT */
/* Is everything as its digest says, and every tree as it was assembled? */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest-set.h"
#include "base/error.h"
#include "base/workers.h"
#include "store/guard.h"
#include "store/object.h"
#include "store/revision-closure.h"
#include "store/revision.h"
#include "tree/assemble.h"
#include "tree/lease.h"
#include "tree/stamp.h"
#include "tree/tree.h"
#include "upkeep/check-report.h"
#include "upkeep/repair.h"
#include "util/dir.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/strbuf.h"

#define MANY_OBJECTS 1000
#define CHUNK 64
/* Not the caller's thread, as far as progress goes: it has been told of the end of the step. */
#define SILENT 1

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

static void release_checker(struct checker *checker) {
    cleanup_close(&checker->lock_fd);
    cleanup_close(&checker->alt_fd);
    cleanup_close(&checker->trees_fd);
    vqemu_revision_list_free(checker->revisions);
    digest_set_release(&checker->objects);
    digest_set_release(&checker->alternatives);
    free(checker->findings);
    free(checker->alt_findings);
    free(checker->buffers);
    vqemu_check_free(checker->report);
}

/* ---- what there is to check ---- */

static int add_name(int directory_fd, const char *name, void *set) {
    struct digest digest;
    (void)directory_fd;
    return digest_parse(name, &digest) ? digest_set_add(set, &digest) : 0;
}

static int list_objects(struct checker *checker) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < vqemu_revision_list_count(checker->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(checker->revisions, i);
        const vqemu_error *broken = vqemu_revision_error(revision);
        if (broken)
            r = report_add(checker->report, PROBLEM_REVISION, "",
                           strdup(vqemu_error_message(broken)));
        else
            r = manifest_add_digests(vqemu_revision_manifest(revision), &checker->objects);
    }
    if (r == 0 && !checker->name)
        r = for_each_entry(checker->store->objects_fd, ".", add_name, &checker->objects);
    if (r == 0 && checker->alt_fd >= 0)
        r = for_each_entry(checker->alt_fd, ".", add_name, &checker->alternatives);
    for (size_t i = 0; r == 0 && !checker->name && i < checker->alternatives.count; i++)
        r = digest_set_add(&checker->objects, &checker->alternatives.digests[i]);
    digest_set_sort(&checker->objects);
    digest_set_sort(&checker->alternatives);
    checker->report->objects = checker->objects.count;
    return r;
}

/* ---- hashing ---- */

/* Find out the state of one file. */
static int examine(struct checker *checker, unsigned worker, int directory_fd,
                   const struct digest *digest, struct finding *finding, vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    uint64_t size = 0;
    const struct watch watch = {&checker->progress, worker};
    int r = object_open(directory_fd, digest->hex, &fd, &status);
    if (r == 0)
        r = digest_of_fd_by(fd, checker->buffers + worker * DIGEST_READ_SIZE, &watch,
                            &finding->actual, &size);
    if (r == -ECANCELED)
        return progress_given_up(&checker->progress, error);
    if (r == -ENOMEM)
        return error_no_memory(error);
    if (r == 0 && !digest_equal(&finding->actual, digest) &&
        !(checker->store->flags & VQEMU_STORE_READ_ONLY))
        object_mark_damaged(fd);
    finding->system_errno = -r;
    finding->inode = fd < 0 ? 0 : status.st_ino;
    finding->owner = fd < 0 ? 0 : (unsigned)status.st_uid;
    finding->state = r == -ENOENT                                          ? MISSING
                     : r == -ELOOP || r == -ENXIO                          ? NO_FILE
                     : r < 0                                               ? UNREADABLE
                     : !digest_equal(&finding->actual, digest)             ? DAMAGED
                     : !guard_trusts_owner(checker->store->flags, &status) ? ANOTHERS
                                                                           : GOOD;
    checker->bytes += size;
    return 0;
}

static int check_object(void *context, unsigned worker, size_t index, vqemu_error **error) {
    struct checker *checker = context;
    const struct digest *digest = &checker->objects.digests[index];
    int r = examine(checker, worker, checker->store->objects_fd, digest, &checker->findings[index],
                    error);
    if (r == 0 && digest_set_has(&checker->alternatives, digest->hex))
        r = examine(checker, worker, checker->alt_fd, digest, &checker->alt_findings[index], error);
    return r == 0 ? progress_advance(&checker->progress, worker, digest->hex, 1, error) : r;
}

static int hash_all(struct checker *checker, vqemu_error **error) {
    size_t count = checker->objects.count;
    const struct work work = {
        .function = check_object,
        .context = checker,
        .count = count,
        .chunk = count >= MANY_OBJECTS ? CHUNK : 1,
        .progress = &checker->progress,
    };
    checker->threads = call_threads(checker->progress.call);
    checker->findings = calloc(count + 1, sizeof *checker->findings);
    checker->alt_findings = calloc(count + 1, sizeof *checker->alt_findings);
    checker->buffers = malloc(checker->threads * DIGEST_READ_SIZE);
    if (!checker->findings || !checker->alt_findings || !checker->buffers)
        return error_no_memory(error);
    progress_start(&checker->progress, "verify", "objects", count);
    return workers_run(&work, checker->threads, error);
}

/* ---- reporting objects ---- */

static char *describe(const char *directory, const struct digest *digest,
                      const struct finding *finding) {
    char text[128];
    switch (finding->state) {
    case MISSING:
        return format_string("object %s/%s is missing", directory, digest->hex);
    case NO_FILE:
        return format_string("object %s/%s is not a regular file", directory, digest->hex);
    case UNREADABLE:
        return format_string("object %s/%s cannot be read: %s", directory, digest->hex,
                             strerror_r(finding->system_errno, text, sizeof text));
    case ANOTHERS:
        return format_string("object %s/%s belongs to user %u, who can change it", directory,
                             digest->hex, finding->owner);
    default:
        return format_string("object %s/%s is damaged: its content has the digest %s", directory,
                             digest->hex, finding->actual.hex);
    }
}

static int report_object(struct checker *checker, size_t index) {
    vqemu_check *report = checker->report;
    const struct digest *digest = &checker->objects.digests[index];
    const struct finding *finding = &checker->findings[index];
    if (finding->state == GOOD)
        return 0;
    int r = report_add(report, finding->state == MISSING ? PROBLEM_MISSING : PROBLEM_DAMAGED,
                       digest->hex, describe(checker->store->objects_path, digest, finding));
    if (r == 0)
        report->problems[report->count - 1].is_content_good = finding->state == ANOTHERS;
    return r;
}

/* An inode of the other mode class is only ever a second copy: it is made again when needed. */
static int report_alternative(struct checker *checker, size_t index, bool repair) {
    const struct digest *digest = &checker->objects.digests[index];
    const struct finding *finding = &checker->alt_findings[index];
    if (finding->state == GOOD || finding->state == MISSING)
        return 0;
    _cleanup_free_ char *path = format_string("%s/alt", checker->store->beside_path);
    if (!path)
        return -ENOMEM;
    int r =
        report_add(checker->report, PROBLEM_DAMAGED, digest->hex, describe(path, digest, finding));
    if (r < 0)
        return r;
    struct problem *problem = &checker->report->problems[checker->report->count - 1];
    problem->alternative = true;
    problem->repaired = repair && remove_tree(checker->alt_fd, digest->hex) == 0;
    return 0;
}

static int report_objects(struct checker *checker, bool repair) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < checker->objects.count; i++) {
        r = report_object(checker, i);
        if (r == 0 && checker->alt_fd >= 0)
            r = report_alternative(checker, i, repair);
    }
    for (size_t i = 0; r == 0 && i < checker->report->count; i++) {
        struct problem *problem = &checker->report->problems[i];
        int64_t index = digest_set_find(&checker->objects, problem->digest.hex);
        if (index >= 0)
            (problem->alternative ? checker->alt_findings : checker->findings)[index].problem =
                problem;
    }
    return r;
}

static int report_use(struct problem *problem, const vqemu_revision *revision,
                      const struct manifest_object *object) {
    if (!problem)
        return 0;
    problem->executable |=
        object->mode ? (object->mode & 0111) != 0 : strncmp(object->path, "bin/", 4) == 0;
    return report_add_place(problem, vqemu_revision_name(revision), object->path);
}

static int report_uses_of(struct checker *checker, const vqemu_revision *revision) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    int r = 0;
    for (size_t i = 0; r == 0 && manifest && i < vqemu_manifest_object_count(manifest); i++) {
        const struct manifest_object *object = manifest_object(manifest, i);
        int64_t index = digest_set_find(&checker->objects, object->digest.hex);
        r = report_use(checker->findings[index].problem, revision, object);
        if (r == 0)
            r = report_use(checker->alt_findings[index].problem, revision, object);
    }
    return r;
}

static int report_uses(struct checker *checker) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < vqemu_revision_list_count(checker->revisions); i++)
        r = report_uses_of(checker, vqemu_revision_list_at(checker->revisions, i));
    return r;
}

/* ---- trees ---- */

static vqemu_revision *revision_of_tree(const struct checker *checker, const char *digest) {
    for (size_t i = 0; i < vqemu_revision_list_count(checker->revisions); i++) {
        vqemu_revision *revision = vqemu_revision_list_at(checker->revisions, i);
        if (!vqemu_revision_error(revision) && strcmp(revision_digest(revision), digest) == 0)
            return revision;
    }
    return NULL;
}

/* Whether a file of a tree is the very inode of its object, which has been hashed. */
static bool is_object(const struct checker *checker, int tree_fd,
                      const struct manifest_object *object) {
    struct stat status;
    int64_t index = digest_set_find(&checker->objects, object->digest.hex);
    return index >= 0 && fstatat(tree_fd, object->path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_dev == checker->objects_device && status.st_nlink > 1 &&
           status.st_ino == checker->findings[index].inode;
}

/*
 * Copies, and links to an inode that is the object's no more, have not been hashed yet. Times and
 * inodes are others in a store that was copied; they do not matter where all is hashed.
 */
static int check_content(struct checker *checker, int tree_fd, const vqemu_manifest *manifest,
                         struct difference *difference) {
    const struct watch watch = {&checker->progress, SILENT};
    int r = tree_check_shape(tree_fd, checker->store->flags, manifest, difference);
    for (size_t i = 0; r == 1 && i < vqemu_manifest_object_count(manifest); i++)
        if (!is_object(checker, tree_fd, manifest_object(manifest, i)))
            r = tree_check_one(tree_fd, manifest, vqemu_manifest_object_path(manifest, i), &watch,
                               difference);
    return r;
}

/* Returns 1 if a tree is as it should be, 0 with how it differs, -ENOMEM or -ECANCELED. */
static int examine_tree(struct checker *checker, const char *name, struct difference *difference) {
    _cleanup_close_ int fd =
        open_at(checker->trees_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    _cleanup_free_ char *text = NULL;
    const vqemu_revision *revision = revision_of_tree(checker, name);
    struct layout layout;
    int r = fd < 0 ? fd : stamp_read(fd, checker->store->flags, false, &text);
    if (r == -ENOMEM)
        return r;
    char *list = text;
    if (r < 0 || !stamp_take_layout(&list, name, "", &layout)) {
        *difference = (struct difference){
            .path = strdup(TREE_STAMP_NAME),
            .how = "is missing, broken, another user's or that of another manifest"};
        return difference->path ? 0 : -ENOMEM;
    }
    return revision ? check_content(checker, fd, vqemu_revision_manifest(revision), difference)
                    : tree_check(fd, checker->store->flags, list, difference);
}

static int check_tree(int trees_fd, const char *name, void *userdata) {
    struct checker *checker = userdata;
    struct digest digest;
    (void)trees_fd;
    if (!digest_parse(name, &digest) || (checker->name && !revision_of_tree(checker, name)))
        return 0;
    _cleanup_difference_ struct difference difference = {0};
    const struct watch watch = {&checker->progress, SILENT};
    int r = watch_poll(&watch);
    if (r == 0)
        r = examine_tree(checker, name, &difference);
    if (r == -ECANCELED)
        return r;
    if (r != 0)
        return r == 1 ? 0 : r;
    r = report_add(checker->report, PROBLEM_TREE, name,
                   format_string("tree %s/%s is not as it was assembled: %s %s",
                                 checker->store->trees_path, name, difference.path,
                                 difference.how));
    const vqemu_revision *revision = revision_of_tree(checker, name);
    return r == 0 && revision
               ? report_add_place(&checker->report->problems[checker->report->count - 1],
                                  vqemu_revision_name(revision), difference.path)
               : r;
}

static int add_users(struct problem *problem, const struct tree_users *users,
                     const struct checker *checker, const char *tree) {
    bool seen = false;
    for (size_t i = 0; i < users->count; i++) {
        if (strcmp(users->users[i].tree, tree) != 0)
            continue;
        int r = report_add_lease(problem, &users->users[i]);
        if (r < 0)
            return r;
        seen = true;
    }
    if (seen || lease_is_held(checker->trees_fd, tree) != 1)
        return 0;
    struct tree_user unknown = {0};
    memcpy(unknown.tree, tree, DIGEST_HEX_LENGTH);
    return report_add_lease(problem, &unknown);
}

/* The trees that a problem touches: itself, or those of the revisions that use the object. */
static int report_leases_of(const struct checker *checker, struct problem *problem,
                            const struct tree_users *users) {
    int r = 0;
    if (problem->kind == PROBLEM_TREE)
        return add_users(problem, users, checker, problem->digest.hex);
    for (size_t i = 0; r == 0 && i < problem->place_count; i++) {
        if (i > 0 && strcmp(problem->places[i - 1].revision, problem->places[i].revision) == 0)
            continue;
        for (size_t j = 0; r == 0 && j < vqemu_revision_list_count(checker->revisions); j++) {
            const vqemu_revision *revision = vqemu_revision_list_at(checker->revisions, j);
            if (strcmp(vqemu_revision_name(revision), problem->places[i].revision) == 0)
                r = add_users(problem, users, checker, revision_digest(revision));
        }
    }
    return r;
}

/* Where the processes cannot be found, leases are told all the same. */
static int report_leases(struct checker *checker) {
    _cleanup_tree_users_ struct tree_users users = {0};
    if (checker->report->count == 0 || checker->trees_fd < 0)
        return 0;
    int r = tree_users_find(checker->store->trees_path, checker->trees_fd, NULL, &users, NULL);
    r = r == VQEMU_ERR_NO_MEMORY ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < checker->report->count; i++)
        r = report_leases_of(checker, &checker->report->problems[i], &users);
    return r;
}

static int find_problems(struct checker *checker, bool repair) {
    int r = report_objects(checker, repair);
    if (r == 0)
        r = report_uses(checker);
    if (r == 0 && checker->trees_fd >= 0)
        r = for_each_entry(checker->trees_fd, ".", check_tree, checker);
    return r == 0 ? report_leases(checker) : r;
}

/* ---- repairing trees ---- */

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
    vqemu_revision *revision = revision_of_tree(checker, problem->digest.hex);
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

static int renew_trees(struct checker *checker, vqemu_error **error) {
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

static int repair(struct checker *checker, const char *from, vqemu_error **error) {
    int r = repair_objects(checker->store, checker->revisions, checker->report, from,
                           &checker->progress, error);
    return r == 0 && checker->trees_fd >= 0 ? renew_trees(checker, error) : r;
}

/* ---- closures ---- */

static int check_closures(struct checker *checker, vqemu_error **error) {
    for (size_t i = 0; i < vqemu_revision_list_count(checker->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(checker->revisions, i);
        vqemu_closure *closure;
        if (vqemu_revision_error(revision))
            continue;
        int r = revision_closure(checker->store, revision, &checker->progress, &closure, error);
        if (r < 0)
            return r;
        if (report_add_closure(checker->report, vqemu_revision_name(revision), closure) < 0)
            return error_no_memory(error);
    }
    return 0;
}

/* ---- the whole ---- */

static int check_arguments(const vqemu_store *store, uint32_t flags, const char *from,
                           vqemu_error **error) {
    if (from && !(flags & VQEMU_CHECK_REPAIR))
        return error_flags_at_odds(error, "vqemu_store_check",
                                   "from, a source of good copies, is only for a repair");
    int r = flags & VQEMU_CHECK_REPAIR ? store_require_writable(store, "repair", error) : 0;
    return r == 0 && from ? repair_check_source(from, error) : r;
}

static int open_checker(struct checker *checker, vqemu_error **error) {
    vqemu_store *store = checker->store;
    int r = store_lock_shared(store, &checker->progress, &checker->lock_fd, error);
    if (r == 0)
        r = revision_list_named(store, checker->name, checker->progress.call, &checker->revisions,
                                error);
    if (r < 0)
        return r;
    checker->alt_fd = store_find_beside_objects(store, STORE_ALT);
    if (checker->alt_fd < 0 && checker->alt_fd != -ENOENT)
        return error_system_at(error, -checker->alt_fd, "cannot open", "%s/alt",
                               store->beside_path);
    checker->trees_fd = store_find_trees(store);
    if (checker->trees_fd < 0 && checker->trees_fd != -ENOENT)
        return error_system_at(error, -checker->trees_fd, "cannot open the directory", "%s",
                               store->trees_path);
    struct stat status;
    if (fstat(store->objects_fd, &status) < 0)
        return error_system_at(error, errno, "cannot look at", "%s", store->objects_path);
    checker->objects_device = status.st_dev;
    checker->report = calloc(1, sizeof *checker->report);
    return checker->report ? 0 : error_no_memory(error);
}

VQEMU_EXPORT int vqemu_store_check(vqemu_store *store, const char *name, uint32_t flags,
                                   const char *from, vqemu_call *call, vqemu_check **check,
                                   vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(check, error);
    *check = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_FLAGS(flags, VQEMU_CHECK_REPAIR | VQEMU_CHECK_CLOSURE, error);
    _cleanup_(release_checker) struct checker checker = {
        .store = store,
        .name = name,
        .lock_fd = -1,
        .alt_fd = -1,
        .trees_fd = -1,
        .progress = {.call = call},
    };
    bool repairs = flags & VQEMU_CHECK_REPAIR;
    int r = check_arguments(store, flags, from, error);
    if (r == 0)
        r = open_checker(&checker, error);
    if (r < 0)
        return r;
    r = list_objects(&checker);
    if (r < 0)
        return error_system_at(error, -r, "cannot list the objects of", "%s", store->objects_path);
    r = hash_all(&checker, error);
    if (r < 0)
        return r;
    r = find_problems(&checker, repairs);
    if (r == -ECANCELED)
        return progress_given_up(&checker.progress, error);
    if (r < 0)
        return error_system_at(error, -r, "cannot look at the trees in", "%s", store->trees_path);
    r = repairs && checker.report->count > 0 ? repair(&checker, from, error) : 0;
    if (r == 0 && flags & VQEMU_CHECK_CLOSURE) /* of what has been repaired */
        r = check_closures(&checker, error);
    if (r < 0)
        return r;
    checker.report->bytes = checker.bytes;
    *check = TAKE_POINTER(checker.report);
    return 0;
}
