/* SPDX-License-Identifier: MIT */
/* What a collection removes, keeps and tells. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "choice/selection.h"
#include "one-revision.h"
#include "run.h"
#include "store/revision.h"
#include "tree/runtime.h"

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
    ck_assert_uint_eq(count_problems(store, NULL, 0, NULL, 0), 0);
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

static void expect_gone(int code, vqemu_error **given) {
    const vqemu_error *error = *given; /* made by the call that gave the code */
    ck_assert_int_eq(code, VQEMU_ERR_NO_REVISION);
    ck_assert_str_eq(vqemu_error_reason(error), "no-such-revision");
    ck_assert_str_eq(vqemu_error_detail(error, "revision"), vqemu_revision_name(revision));
    ck_assert_str_eq(vqemu_error_detail(error, "path"), vqemu_revision_path(revision));
}

static void leaving_fails(const char *name, vqemu_error **error) {
    vqemu_ingest *ingest = NULL;
    char *digest = NULL;
    _cleanup_free_ char *layout = scratch_path("layout"), *root = scratch_path("other");
    _cleanup_store_ vqemu_store *other = NULL;
    _cleanup_close_ int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(vqemu_store_open_root(root, VQEMU_STORE_CREATE, &other, NULL), 0);
    expect_gone(vqemu_store_copy(store, revision, other, 0, NULL, &ingest, error), error);
    expect_gone(vqemu_store_export(store, revision, fd, NULL, 0, NULL, error), error);
    expect_gone(vqemu_store_export_layout(store, layout, revision, NULL, 0, NULL, &digest, error),
                error);
    expect_gone(vqemu_store_pin(store, name, NULL, 0, NULL, error), error);
    expect_gone(vqemu_store_unpin(store, name, NULL, 0, NULL, error), error);
    expect_gone(vqemu_store_set_current(store, name, 0, NULL, error), error);
    expect_gone(vqemu_store_remove_revision(store, name, 0, NULL, error), error);
}

static void signatures_fail(vqemu_error **error) {
    const char *digest = vqemu_revision_digest(revision);
    vqemu_signature_list *list = NULL;
    vqemu_trust *trust = NULL;
    int32_t key;
    ck_assert_int_eq(vqemu_trust_new(&trust, error), 0);
    expect_gone(
        vqemu_store_add_signature(store, revision, "mine", 4, VQEMU_SIGNATURE_ANY, NULL, error),
        error);
    expect_gone(vqemu_store_remove_signature(store, revision, digest, 0, NULL, error), error);
    expect_gone(vqemu_store_list_signatures(store, revision, 0, NULL, &list, error), error);
    expect_gone(vqemu_store_verify_revision(store, revision, trust, 0, NULL, &key, error), error);
    vqemu_trust_unref(trust);
}

START_TEST(a_revision_that_was_removed_is_none_for_all_who_ask) {
    _cleanup_revision_ vqemu_revision *newer = build_newer();
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_runtime *runtime = NULL;
    ck_assert_uint_eq(collect(1, 0), 3);
    for (uint32_t flags = 0; flags <= VQEMU_RESOLVE_VERIFY; flags++)
        expect_gone(vqemu_resolve(store, selection, revision, flags, NULL, &runtime, &error),
                    &error);
    leaving_fails(vqemu_revision_name(revision), &error);
    signatures_fail(&error);
}
END_TEST

START_TEST(a_store_that_is_always_used_is_given_up) {
    vqemu_collection *collection = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = make_call("lock_timeout_ms", 50);
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
    char *message = NULL;
    int r = collect_keeping(store, keep, VQEMU_COLLECT_DRY_RUN, NULL, &collection, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    size_t count = vqemu_collection_kept_count(collection);
    for (size_t i = 0; i < count; i++)
        if (strcmp(vqemu_collection_kept_name(collection, i), name) == 0) {
            ck_assert_str_eq(vqemu_collection_kept_kind(collection, i), kind);
            ck_assert_ptr_null(message);
            message = strdup(vqemu_collection_kept_message(collection, i));
        }
    ck_assert_ptr_null(vqemu_collection_kept_kind(collection, count));
    ck_assert_ptr_null(vqemu_collection_kept_name(collection, count));
    ck_assert_ptr_null(vqemu_collection_kept_message(collection, count));
    vqemu_collection_free(collection);
    return message;
}

static void is_kept(uint32_t keep, const vqemu_revision *of, const char *expected) {
    _cleanup_free_ char *message = why_kept(keep, "revision", vqemu_revision_name(of));
    ck_assert_pstr_eq(message, expected);
}

START_TEST(what_stays_is_told_with_all_that_keeps_it) {
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
    _cleanup_free_ char *message = why_kept(1, "tree", vqemu_runtime_digest(runtime));
    ck_assert_pstr_eq(message, "leased");
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

START_TEST(misuse_is_refused) {
    vqemu_collection *collection = NULL;
    ck_assert_int_eq(vqemu_store_collect(NULL, NULL, 0, NULL, &collection, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_collect(store, NULL, 2, NULL, &collection, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_collect(store, NULL, 0, NULL, NULL, NULL), VQEMU_ERR_USAGE);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("collect");
    TCase *tests = tcase_create("collect");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, nothing_is_collected_that_a_revision_reaches);
    tcase_add_test(tests, older_revisions_go_with_what_only_they_reach);
    tcase_add_test(tests, a_lease_a_pin_and_the_link_keep_a_revision);
    tcase_add_test(tests, a_revision_that_was_removed_is_none_for_all_who_ask);
    tcase_add_test(tests, a_store_that_is_always_used_is_given_up);
    tcase_add_test(tests, a_broken_revision_stops_collection);
    tcase_add_test(tests, what_stays_is_told_with_all_that_keeps_it);
    tcase_add_test(tests, a_tree_in_use_stays_without_its_revision);
    tcase_add_test(tests, what_was_set_to_be_used_is_not_collected);
    tcase_add_test(tests, a_broken_choice_stops_collection);
    tcase_add_test(tests, misuse_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
