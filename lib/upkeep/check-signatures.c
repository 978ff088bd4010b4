/* SPDX-License-Identifier: MIT */
/* Are the signatures of each revision whole, and is it signed as it must be? */
#include <errno.h>

#include "base/error.h"
#include "store/signatures.h"
#include "upkeep/checker.h"
#include "util/strbuf.h"

static int add_problem(struct checker *checker, const vqemu_revision *revision, const char *path,
                       char *message) {
    vqemu_check *report = checker->report;
    int r = report_add(report, PROBLEM_SIGNATURE, "", message);
    return r == 0 ? report_add_place(&report->problems[report->count - 1],
                                     vqemu_revision_name(revision), path)
                  : r;
}

static int add_damaged(struct checker *checker, const vqemu_revision *revision,
                       const struct strv *paths) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < paths->count; i++)
        r = add_problem(checker, revision, paths->items[i],
                        format_string("the signature %s is damaged, and counts for nothing: remove "
                                      "it, or add it again",
                                      paths->items[i]));
    return r;
}

/* What cannot be told of one revision is a problem of it. */
static int judge(struct checker *checker, const vqemu_revision *revision, vqemu_error **error) {
    const vqemu_store *store = checker->store;
    _cleanup_signature_set_ struct signature_set set = {0};
    _cleanup_strv_ struct strv damaged = {0};
    _cleanup_error_ vqemu_error *problem = NULL;
    int32_t key;
    int r = signatures_load(store, vqemu_revision_name(revision), checker->progress.call, &set,
                            &damaged, &problem);
    if (r == 0 && add_damaged(checker, revision, &damaged) < 0)
        return error_no_memory(error);
    if (r == 0 && store->trust)
        r = signatures_check_these(store, revision, &set, store->trust, &key, &problem);
    if (r == 0)
        return 0;
    if (error_ends_call(r))
        return error_copy(problem, error);
    r = add_problem(checker, revision, vqemu_revision_path(revision),
                    format_string("%s", vqemu_error_message(problem)));
    return r < 0 ? error_no_memory(error) : 0;
}

int checker_check_signatures(struct checker *checker, vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < vqemu_revision_list_count(checker->revisions); i++) {
        const vqemu_revision *revision = vqemu_revision_list_at(checker->revisions, i);
        if (!vqemu_revision_error(revision))
            r = judge(checker, revision, error);
    }
    return r;
}
