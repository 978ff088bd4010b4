/* SPDX-License-Identifier: MIT */
/* Collecting, checking, archives and copies as a C program uses them. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/strbuf.h"

static vqemu_store *store;
static vqemu_revision *revision;

static void make_store(void) {
    make_scratch();
    store = open_store(VQEMU_STORE_CREATE);
    revision = build(store, "2025-01-31T10:00:00Z");
}

static void remove_store(void) {
    vqemu_revision_unref(revision);
    vqemu_store_unref(store);
    remove_scratch();
}

/* Another version of the profile, newer than the first. */
static vqemu_revision *build_newer(void) {
    write_file("profile/firmware/bios.bin", "newer", 0644);
    return build(store, NULL);
}

static size_t collect(uint32_t keep, uint32_t flags) {
    vqemu_collection *collection = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = collect_keeping(store, keep, flags, NULL, &collection, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    size_t count = vqemu_collection_count(collection);
    ck_assert_ptr_null(vqemu_collection_kind(collection, count));
    ck_assert_ptr_null(vqemu_collection_name(collection, count));
    ck_assert_uint_eq(vqemu_collection_bytes(collection, count), 0);
    vqemu_collection_free(collection);
    return count;
}

static size_t problems(const char *name, uint32_t flags, const char *from, size_t left) {
    vqemu_check *check = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_check(store, name, flags, from, NULL, &check, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    size_t count = vqemu_check_problem_count(check);
    ck_assert_uint_eq(vqemu_check_unrepaired_count(check), left);
    ck_assert_ptr_null(vqemu_check_problem_kind(check, count));
    ck_assert_ptr_null(vqemu_check_problem_message(check, count));
    ck_assert_ptr_null(vqemu_check_use_revision(check, count, 0));
    ck_assert_ptr_null(vqemu_check_process_tree(check, count, 0));
    ck_assert(!vqemu_check_problem_repaired(check, count));
    vqemu_check_free(check);
    return count;
}

/* ---- collecting ---- */

START_TEST(nothing_is_collected_that_a_revision_reaches) {
    vqemu_runtime_unref(resolve(store, 0));
    ck_assert_uint_eq(collect(0, 0), 0);
    ck_assert_uint_eq(collect(1, 0), 0);
    vqemu_runtime_unref(resolve(store, VQEMU_RESOLVE_VERIFY));
}
END_TEST

START_TEST(older_revisions_go_with_what_only_they_reach) {
    vqemu_runtime_unref(resolve(store, 0));
    _cleanup_revision_ vqemu_revision *newer = build_newer();
    _cleanup_free_ char *object = object_path(revision, "firmware/bios.bin");
    vqemu_runtime_unref(resolve(store, 0)); /* the link points to it now */
    ck_assert_uint_eq(collect(1, VQEMU_COLLECT_DRY_RUN), 4);
    ck_assert_int_eq(count_entries("store/cas/refs"), 2);
    ck_assert_uint_eq(collect(1, 0), 4); /* revision, tree, object, what was remembered of it */
    ck_assert_int_eq(count_entries("store/cas/refs"), 1);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 1);
    ck_assert(!exists(object));
    ck_assert_uint_eq(problems(NULL, 0, NULL, 0), 0);
}
END_TEST

START_TEST(a_lease_a_pin_and_the_link_keep_a_revision) {
    vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_revision_ vqemu_revision *newer = build_newer();
    vqemu_runtime_unref(runtime); /* not leased; the link points to the old tree still */
    ck_assert_uint_eq(collect(1, 0), 0);
    runtime = resolve(store, 0);
    ck_assert_int_eq(vqemu_store_pin(store, vqemu_revision_name(revision), NULL, 0, NULL, NULL), 0);
    ck_assert_uint_eq(collect(1, 0), 0);
    ck_assert_int_eq(vqemu_store_unpin(store, vqemu_revision_name(revision), NULL, 0, NULL, NULL),
                     0);
    vqemu_runtime_unref(runtime);
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    vqemu_runtime *old = NULL;
    ck_assert_int_eq(vqemu_resolve(store, selection, revision, 0, NULL, &old, NULL), 0);
    ck_assert_uint_eq(collect(1, 0), 0); /* leased */
    vqemu_runtime_unref(old);
    ck_assert_uint_eq(collect(1, 0), 4);
}
END_TEST

START_TEST(a_revision_that_was_collected_cannot_be_resolved) {
    _cleanup_revision_ vqemu_revision *newer = build_newer();
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    vqemu_runtime *runtime = NULL;
    ck_assert_uint_eq(collect(1, 0), 3);
    ck_assert_int_eq(vqemu_resolve(store, selection, revision, 0, NULL, &runtime, NULL),
                     VQEMU_ERR_CHANGED);
}
END_TEST

START_TEST(a_store_that_is_always_used_is_given_up) {
    vqemu_collection *collection = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = make_call("lock_timeout", 50);
    _cleanup_free_ char *objects = scratch_path("store/cas/objects");
    _cleanup_close_ int user = open(objects, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(flock(user, LOCK_SH), 0);
    int r = collect_keeping(store, 1, 0, call, &collection, &error);
    ck_assert_int_eq(r, VQEMU_ERR_BUSY);
    ck_assert_str_eq(vqemu_error_reason(error), "locked");
    ck_assert_str_eq(vqemu_error_detail(error, "path"), objects);
}
END_TEST

START_TEST(a_broken_revision_stops_collection) {
    vqemu_collection *collection = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_revision_ vqemu_revision *newer = build_newer();
    write_file(vqemu_revision_path(revision), "{", 0644);
    ck_assert_int_eq(collect_keeping(store, 1, 0, NULL, &collection, &error), VQEMU_ERR_MALFORMED);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), vqemu_revision_path(revision)));
    ck_assert_str_eq(vqemu_error_reason(error), "revision-broken");
    ck_assert_str_eq(vqemu_error_detail(error, "path"), vqemu_revision_path(revision));
    ck_assert_str_eq(vqemu_error_detail(error, "revision"), vqemu_revision_name(revision));
    ck_assert_int_eq(count_entries("store/cas/refs"), 2);
}
END_TEST

/* Why a revision or tree stays; NULL if it is not told. Owned by the caller. */
static char *why_kept(uint32_t keep, const char *kind, const char *name) {
    vqemu_collection *collection = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    char *reason = NULL;
    int r = collect_keeping(store, keep, VQEMU_COLLECT_DRY_RUN, NULL, &collection, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    size_t count = vqemu_collection_kept_count(collection);
    for (size_t i = 0; i < count; i++)
        if (strcmp(vqemu_collection_kept_name(collection, i), name) == 0) {
            ck_assert_str_eq(vqemu_collection_kept_kind(collection, i), kind);
            ck_assert_ptr_null(reason);
            reason = strdup(vqemu_collection_kept_reason(collection, i));
        }
    ck_assert_ptr_null(vqemu_collection_kept_kind(collection, count));
    ck_assert_ptr_null(vqemu_collection_kept_name(collection, count));
    ck_assert_ptr_null(vqemu_collection_kept_reason(collection, count));
    vqemu_collection_free(collection);
    return reason;
}

static void is_kept(uint32_t keep, const vqemu_revision *of, const char *expected) {
    _cleanup_free_ char *reason = why_kept(keep, "revision", vqemu_revision_name(of));
    ck_assert_pstr_eq(reason, expected);
}

START_TEST(what_stays_is_told_with_all_reasons) {
    const char *name = vqemu_revision_name(revision);
    _cleanup_revision_ vqemu_revision *newer = build_newer();
    is_kept(1, newer, "newest");
    is_kept(1, revision, NULL);
    is_kept(2, revision, "newest");
    is_kept(0, revision, "all stay");
    ck_assert_int_eq(vqemu_store_pin(store, name, "unit:volt-web", 0, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_store_pin(store, name, NULL, 0, NULL, NULL), 0);
    is_kept(1, revision, "pinned, pinned by unit:volt-web");
    ck_assert_int_eq(vqemu_store_set_current(store, name, 0, NULL, NULL), 0);
    vqemu_runtime *runtime = resolve(store, 0);
    is_kept(1, revision, "current, pinned, pinned by unit:volt-web, leased, linked");
    is_kept(1, newer, "newest");
    vqemu_runtime_unref(runtime);
    is_kept(1, revision, "current, pinned, pinned by unit:volt-web, linked");
    ck_assert_uint_eq(vqemu_collection_kept_count(NULL), 0);
    ck_assert_ptr_null(vqemu_collection_kept_name(NULL, 0));
}
END_TEST

START_TEST(a_tree_in_use_stays_without_its_revision) {
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(unlink(vqemu_revision_path(revision)), 0);
    _cleanup_free_ char *reason = why_kept(1, "tree", vqemu_runtime_digest(runtime));
    ck_assert_pstr_eq(reason, "leased");
}
END_TEST

START_TEST(what_was_set_to_be_used_is_not_collected) {
    const char *name = vqemu_revision_name(revision);
    _cleanup_revision_ vqemu_revision *newer = build_newer();
    ck_assert_int_eq(vqemu_store_set_current(store, name, 0, NULL, NULL), 0);
    ck_assert_uint_eq(collect(1, 0), 0);
    ck_assert_int_eq(vqemu_store_set_current(store, "emulate-x86", 0, NULL, NULL), 0);
    ck_assert_uint_ge(collect(1, 0), 2);
    ck_assert(!exists(vqemu_revision_path(revision)));
}
END_TEST

/* Which one it keeps cannot be told then. */
START_TEST(a_broken_choice_stops_collection) {
    vqemu_collection *collection = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_revision_ vqemu_revision *newer = build_newer();
    write_file("store/cas/current/emulate-x86", "x", 0644);
    ck_assert_int_eq(collect_keeping(store, 1, 0, NULL, &collection, &error), VQEMU_ERR_MALFORMED);
    _cleanup_free_ char *path = scratch_path("store/cas/current/emulate-x86");
    ck_assert_str_eq(vqemu_error_reason(error), "current-broken");
    ck_assert_str_eq(vqemu_error_detail(error, "path"), path);
    ck_assert_int_eq(count_entries("store/cas/refs"), 2);
}
END_TEST

/* ---- checking ---- */

START_TEST(damage_is_found_and_repaired_from_a_directory) {
    _cleanup_free_ char *path = object_path(revision, "firmware/bios.bin"),
                        *source = scratch_path("profile");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_uint_eq(problems(NULL, 0, NULL, 1), 1);
    ck_assert_uint_eq(problems("emulate-x86", VQEMU_CHECK_REPAIR, NULL, 1), 1);
    ck_assert_uint_eq(problems(vqemu_revision_name(revision), VQEMU_CHECK_REPAIR, source, 0), 1);
    ck_assert_uint_eq(problems(NULL, 0, NULL, 0), 0);
}
END_TEST

START_TEST(what_cannot_be_checked_is_an_error) {
    vqemu_check *check = (vqemu_check *)&store; /* must become NULL */
    ck_assert_int_eq(vqemu_store_check(store, "kvm-uefi", 0, NULL, NULL, &check, NULL),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_ptr_null(check);
    ck_assert_int_eq(vqemu_store_check(store, "x", 0, NULL, NULL, &check, NULL),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_int_eq(vqemu_store_check(store, NULL, 8, NULL, NULL, &check, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_check(store, NULL, 0, "/", NULL, &check, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_check(NULL, NULL, 0, NULL, NULL, &check, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_check(store, NULL, 0, NULL, NULL, NULL, NULL), VQEMU_ERR_USAGE);
    for (int damaged = 0; damaged < 2; damaged++) { /* also if nothing is needed from there */
        ck_assert_int_eq(
            vqemu_store_check(store, NULL, VQEMU_CHECK_REPAIR, "/none", NULL, &check, NULL),
            VQEMU_ERR_NOT_FOUND);
        ck_assert_ptr_null(check);
        _cleanup_free_ char *path = object_path(revision, "firmware/bios.bin");
        ck_assert_int_eq(unlink(path), damaged ? -1 : 0);
    }
}
END_TEST

/* ---- archives and copies ---- */

static int open_archive(int flags) {
    _cleanup_free_ char *path = scratch_path("archive.tar");
    int fd = open(path, flags | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void export_archive(void) {
    _cleanup_close_ int fd = open_archive(O_WRONLY | O_CREAT | O_TRUNC);
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_export(store, revision, fd, NULL, 0, NULL, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

static vqemu_store *open_other(void) {
    _cleanup_free_ char *root = scratch_path("other");
    vqemu_store *other = NULL;
    ck_assert_int_eq(vqemu_store_open_root(root, VQEMU_STORE_CREATE, &other, NULL), 0);
    return other;
}

/* In the C locale, too, which this program is in. */
START_TEST(an_export_is_imported_as_the_same_revision) {
    write_file("profile/firmware/gr\303\274n.bin", "green", 0644);
    vqemu_revision_unref(revision);
    revision = build(store, NULL);
    export_archive();
    _cleanup_store_ vqemu_store *other = open_other();
    _cleanup_close_ int fd = open_archive(O_RDONLY);
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_import(other, fd, "a.tar", NULL, VQEMU_IMPORT_ANY_PROFILE, NULL, &result,
                               &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    const vqemu_revision *imported = vqemu_ingest_revision(result);
    ck_assert(vqemu_ingest_is_new(result));
    ck_assert_uint_eq(vqemu_ingest_object_count(result), 6);
    ck_assert_uint_eq(vqemu_ingest_new_object_count(result), 6);
    ck_assert_str_eq(vqemu_revision_name(imported), vqemu_revision_name(revision));
    ck_assert_str_eq(vqemu_manifest_digest(vqemu_revision_manifest(imported)),
                     vqemu_manifest_digest(vqemu_revision_manifest(revision)));
}
END_TEST

START_TEST(an_import_that_is_too_large_is_refused) {
    export_archive();
    _cleanup_store_ vqemu_store *other = open_other();
    _cleanup_close_ int fd = open_archive(O_RDONLY);
    vqemu_ingest *imported = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = make_call("max_size", 25);
    ck_assert_int_eq(vqemu_store_import(other, fd, "a.tar", NULL, VQEMU_IMPORT_ANY_PROFILE, call,
                                        &imported, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "firmware/bios.bin"));
    ck_assert_int_eq(count_entries("other/cas/objects"), 0);
    ck_assert_int_eq(count_entries("other/cas/tmp"), 0);
}
END_TEST

START_TEST(only_what_is_missing_is_copied) {
    _cleanup_store_ vqemu_store *other = open_other();
    vqemu_ingest *copy = NULL;
    ck_assert_int_eq(vqemu_store_copy(store, revision, other, 0, NULL, &copy, NULL), 0);
    ck_assert(vqemu_ingest_is_new(copy));
    ck_assert_uint_eq(vqemu_ingest_new_object_count(copy), 5);
    ck_assert_uint_eq(vqemu_ingest_new_bytes(copy), 22 + 3 + 6 + 8);
    ck_assert_str_eq(vqemu_revision_name(vqemu_ingest_revision(copy)),
                     vqemu_revision_name(revision));
    vqemu_ingest_free(copy);
    ck_assert_int_eq(vqemu_store_copy(store, revision, other, 0, NULL, &copy, NULL), 0);
    ck_assert(!vqemu_ingest_is_new(copy));
    ck_assert_uint_eq(vqemu_ingest_object_count(copy), 5);
    ck_assert_uint_eq(vqemu_ingest_bytes(copy), 22 + 3 + 6 + 8);
    ck_assert_uint_eq(vqemu_ingest_new_object_count(copy), 0);
    vqemu_ingest_free(copy);
    ck_assert_int_eq(vqemu_store_copy(store, revision, store, 0, NULL, &copy, NULL),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_null(copy);
}
END_TEST

START_TEST(a_copy_respects_the_limit_of_the_call) {
    _cleanup_store_ vqemu_store *other = open_other();
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = make_call("max_objects", 4);
    vqemu_ingest *copy = NULL;
    ck_assert_int_eq(vqemu_store_copy(store, revision, other, 0, call, &copy, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "limit of 4"));
    ck_assert_int_eq(count_entries("other/cas/refs"), 0);
}
END_TEST

START_TEST(misuse_is_refused) {
    _cleanup_store_ vqemu_store *other = open_other();
    vqemu_ingest *result = NULL;
    vqemu_collect_options *options = NULL;
    vqemu_collection *collection = NULL;
    ck_assert_int_eq(vqemu_store_copy(NULL, revision, other, 0, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_copy(store, NULL, other, 0, NULL, &result, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_copy(store, revision, NULL, 0, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_copy(store, revision, other, 4, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_export(NULL, revision, 1, NULL, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_export(store, NULL, 1, NULL, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_export(store, revision, 1, NULL, 1, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_import(NULL, 0, NULL, NULL, 0, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_import(store, 0, NULL, NULL, 2, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_import(store, 0, NULL, NULL, 0, NULL, NULL, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_collect(NULL, NULL, 0, NULL, &collection, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_collect(store, NULL, 2, NULL, &collection, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_collect(store, NULL, 0, NULL, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_collect_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_collect_options_set_number(options, "kept", 1, NULL),
                     VQEMU_ERR_UNKNOWN_KEY);
    vqemu_collect_options_free(options);
}
END_TEST

/* ---- progress and cancelling ---- */

struct heard {
    int calls;
    uint64_t first_done, last_done, total;
};

static int hear(const vqemu_progress *progress, void *userdata) {
    struct heard *heard = userdata;
    ck_assert_str_eq(vqemu_progress_step(progress), "verify");
    ck_assert_str_eq(vqemu_progress_unit(progress), "objects");
    ck_assert_uint_eq(vqemu_progress_phase(progress), 1);
    ck_assert_uint_ge(vqemu_progress_phase_count(progress), 1);
    if (heard->calls++ == 0)
        heard->first_done = vqemu_progress_done(progress);
    heard->last_done = vqemu_progress_done(progress);
    heard->total = vqemu_progress_total(progress);
    return 0;
}

START_TEST(a_check_tells_how_far_it_is) {
    struct heard heard = {.first_done = 9};
    _cleanup_call_ vqemu_call *call = make_watched_call(hear, &heard);
    vqemu_check *check = NULL;
    ck_assert_int_eq(vqemu_store_check(store, NULL, 0, NULL, call, &check, NULL), 0);
    ck_assert_int_ge(heard.calls, 2);
    ck_assert_uint_eq(heard.first_done, 0);
    ck_assert_uint_eq(heard.last_done, 5);
    ck_assert_uint_eq(heard.total, 5);
    vqemu_check_free(check);
}
END_TEST

static int cancel(const vqemu_progress *progress, void *userdata) {
    uint64_t total = vqemu_progress_total(progress);
    ck_assert_ptr_nonnull(vqemu_progress_step(progress));
    ck_assert_ptr_nonnull(vqemu_progress_item(progress));
    ck_assert(total == 0 || vqemu_progress_done(progress) <= total);
    (*(int *)userdata)++;
    return 1;
}

static int cancel_nothing(const vqemu_progress *progress, void *userdata) {
    (void)progress;
    ck_abort_msg("progress of a call that was cancelled before: %p", userdata);
}

/* The calls with a new way to give up each. */
typedef vqemu_call *(*new_call_fn)(void);

static int cancel_calls;

static vqemu_call *new_from_callback(void) {
    vqemu_call *call = make_watched_call(cancel, &cancel_calls);
    ck_assert_int_eq(vqemu_call_set_number(call, "threads", 3, NULL), 0);
    return call;
}

static vqemu_call *new_cancelled(void) {
    vqemu_call *call = make_watched_call(cancel_nothing, NULL);
    vqemu_call_cancel(call);
    return call;
}

static vqemu_call *new_expired(void) {
    vqemu_call *call = make_call("timeout", 1);
    usleep(2000);
    return call;
}

#define GIVES_UP(code, expression)                                                                 \
    do {                                                                                           \
        _cleanup_call_ vqemu_call *call = new_call();                                              \
        ck_assert_int_eq(expression, code);                                                        \
    } while (0)

static void give_up_everything(new_call_fn new_call, int code) {
    vqemu_ingest *result = NULL;
    vqemu_check *check = NULL;
    vqemu_collection *collection = NULL;
    vqemu_runtime *runtime = NULL;
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    export_archive();
    vqemu_revision_unref(build_newer());
    _cleanup_store_ vqemu_store *other = open_other();
    _cleanup_close_ int in = open_archive(O_RDONLY), out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    GIVES_UP(code, ingest(other, call, &result, NULL));
    GIVES_UP(code, vqemu_store_import(other, in, NULL, NULL, VQEMU_IMPORT_ANY_PROFILE, call,
                                      &result, NULL));
    GIVES_UP(code, vqemu_store_copy(store, revision, other, 0, call, &result, NULL));
    GIVES_UP(code, vqemu_store_export(store, revision, out, NULL, 0, call, NULL));
    GIVES_UP(code, vqemu_store_check(store, NULL, 0, NULL, call, &check, NULL));
    GIVES_UP(code, collect_keeping(store, 1, 0, call, &collection, NULL));
    GIVES_UP(code, vqemu_resolve(store, selection, NULL, 0, call, &runtime, NULL));
    ck_assert_int_eq(count_entries("other/cas/objects"), 0);
    ck_assert_int_eq(count_entries("other/cas/refs"), 0);
    ck_assert_int_eq(count_entries("other/cas/tmp"), 0);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 0);
    ck_assert_uint_eq(problems(NULL, 0, NULL, 0), 0);
}

START_TEST(every_long_call_can_be_given_up) {
    give_up_everything(new_from_callback, VQEMU_ERR_CANCELLED);
    ck_assert_int_ge(cancel_calls, 7);
    give_up_everything(new_cancelled, VQEMU_ERR_CANCELLED);
    give_up_everything(new_expired, VQEMU_ERR_TIMEOUT);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("maintenance");
    TCase *tests = tcase_create("maintenance");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, nothing_is_collected_that_a_revision_reaches);
    tcase_add_test(tests, older_revisions_go_with_what_only_they_reach);
    tcase_add_test(tests, a_lease_a_pin_and_the_link_keep_a_revision);
    tcase_add_test(tests, a_revision_that_was_collected_cannot_be_resolved);
    tcase_add_test(tests, a_store_that_is_always_used_is_given_up);
    tcase_add_test(tests, a_broken_revision_stops_collection);
    tcase_add_test(tests, what_stays_is_told_with_all_reasons);
    tcase_add_test(tests, a_tree_in_use_stays_without_its_revision);
    tcase_add_test(tests, what_was_set_to_be_used_is_not_collected);
    tcase_add_test(tests, a_broken_choice_stops_collection);
    tcase_add_test(tests, damage_is_found_and_repaired_from_a_directory);
    tcase_add_test(tests, what_cannot_be_checked_is_an_error);
    tcase_add_test(tests, an_export_is_imported_as_the_same_revision);
    tcase_add_test(tests, an_import_that_is_too_large_is_refused);
    tcase_add_test(tests, only_what_is_missing_is_copied);
    tcase_add_test(tests, a_copy_respects_the_limit_of_the_call);
    tcase_add_test(tests, misuse_is_refused);
    tcase_add_test(tests, a_check_tells_how_far_it_is);
    tcase_add_test(tests, every_long_call_can_be_given_up);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
