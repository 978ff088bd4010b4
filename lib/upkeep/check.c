/* SPDX-License-Identifier: MIT */
/* Is everything as its digest says, and every tree as it was assembled? */
#include <volt-qemu/check.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"
#include "store/reached.h"
#include "store/revision-closure.h"
#include "upkeep/checker.h"
#include "upkeep/repair.h"
#include "util/export.h"
#include "util/fd.h"

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

static int find_problems(struct checker *checker, bool repair) {
    int r = checker_report_objects(checker, repair);
    if (r == 0)
        r = checker_report_trees(checker);
    return r == 0 ? checker_report_leases(checker) : r;
}

static int repair(struct checker *checker, const char *from, vqemu_error **error) {
    int r = repair_objects(checker->store, checker->revisions, checker->report, from,
                           &checker->progress, error);
    return r == 0 && checker->trees_fd >= 0 ? checker_renew_trees(checker, error) : r;
}

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
    r = store_find_trees(store, &checker->trees_fd, error);
    if (r < 0)
        return r;
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
    r = checker_list_objects(&checker);
    if (r < 0)
        return error_system_at(error, -r, "cannot list the objects of", "%s", store->objects_path);
    r = checker_hash_all(&checker, error);
    if (r < 0)
        return r;
    r = find_problems(&checker, repairs);
    if (r == -ECANCELED)
        return progress_given_up(&checker.progress, error);
    if (r < 0)
        return error_system_at(error, -r, "cannot look at the trees in", "%s", store->trees_path);
    r = repairs && checker.report->count > 0 ? repair(&checker, from, error) : 0;
    if (r == 0)
        r = checker_check_signatures(&checker, error);
    if (r == 0 && flags & VQEMU_CHECK_CLOSURE) /* of what has been repaired */
        r = check_closures(&checker, error);
    if (r < 0)
        return r;
    checker.report->bytes = checker.bytes;
    *check = TAKE_POINTER(checker.report);
    return 0;
}
