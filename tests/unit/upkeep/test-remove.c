/* SPDX-License-Identifier: MIT */
/* Removing a revision, unless something keeps it. */
#include <volt-qemu/collect.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "two-revisions.h"
#include "util/strbuf.h"

#define PROFILE "emulate-x86"

static void remove_revision(const vqemu_revision *revision) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_remove_revision(store, vqemu_revision_name(revision), 0, NULL, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_int_eq(count_leftovers(), 0);
}

/* Nothing has changed then. The error is the caller's. */
static vqemu_error *is_kept(const vqemu_revision *revision, const char *reason) {
    vqemu_error *error = NULL;
    const char *name = vqemu_revision_name(revision);
    int refs = count_entries("store/cas/refs"), trees = count_entries("store/qemu/trees");
    ck_assert_int_eq(vqemu_store_remove_revision(store, name, 0, NULL, &error), VQEMU_ERR_BUSY);
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_str_eq(vqemu_error_detail(error, "revision"), name);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), name));
    ck_assert_int_eq(count_entries("store/cas/refs"), refs);
    ck_assert_int_eq(count_entries("store/qemu/trees"), trees);
    return error;
}

static size_t collect(void) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_collection *collection = NULL;
    int r = vqemu_store_collect(store, NULL, 0, NULL, &collection, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    size_t count = vqemu_collection_count(collection);
    vqemu_collection_free(collection);
    return count;
}

START_TEST(a_revision_goes_with_its_tree_and_link) {
    vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *tree = strdup(vqemu_runtime_tree(runtime)),
                        *object = object_path(newer, "firmware/bios.bin");
    vqemu_runtime_unref(runtime);
    ck_assert(exists("store/qemu/" PROFILE));
    remove_revision(newer);
    ck_assert(!exists(tree));
    ck_assert(!exists(vqemu_revision_path(newer)));
    ck_assert(!exists("store/qemu/" PROFILE));
    ck_assert(exists(vqemu_revision_path(older)));
    ck_assert(exists(object)); /* until the next collection */
    ck_assert_uint_ge(collect(), 1);
    ck_assert(!exists(object));
    runtime = resolve(store, 0);
    ck_assert_str_eq(vqemu_runtime_revision_name(runtime), vqemu_revision_name(older));
    vqemu_runtime_unref(runtime);
}
END_TEST

START_TEST(the_link_to_another_tree_stays) {
    vqemu_runtime_unref(resolve(store, 0));
    remove_revision(older);
    ck_assert(exists("store/qemu/" PROFILE));
    ck_assert_int_eq(count_entries("store/qemu/trees"), 1);
    vqemu_runtime_unref(resolve(store, 0));
}
END_TEST

START_TEST(one_without_a_tree_goes) {
    remove_revision(newer);
    remove_revision(older);
    ck_assert_int_eq(count_entries("store/cas/refs"), 0);
    resolve_fails(store, 0, VQEMU_ERR_NO_REVISION, PROFILE);
}
END_TEST

START_TEST(one_that_is_pinned_stays) {
    const char *name = vqemu_revision_name(older);
    ck_assert_int_eq(vqemu_store_pin(store, name, "unit:volt-web", 0, NULL, NULL), 0);
    _cleanup_error_ vqemu_error *error = is_kept(older, "pinned");
    ck_assert_str_eq(vqemu_error_detail(error, "holder"), "unit:volt-web");
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "unit:volt-web"));
    ck_assert_int_eq(vqemu_store_pin(store, name, NULL, 0, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_store_unpin(store, name, "unit:volt-web", 0, NULL, NULL), 0);
    vqemu_error_free(is_kept(older, "pinned"));
    ck_assert_int_eq(vqemu_store_unpin(store, name, NULL, 0, NULL, NULL), 0);
    remove_revision(older);
}
END_TEST

START_TEST(one_that_was_set_to_be_used_stays) {
    ck_assert_int_eq(vqemu_store_set_current(store, vqemu_revision_name(older), 0, NULL, NULL), 0);
    vqemu_error_free(is_kept(older, "current"));
    remove_revision(newer);
    ck_assert_int_eq(vqemu_store_set_current(store, PROFILE, 0, NULL, NULL), 0);
    remove_revision(older);
}
END_TEST

START_TEST(one_that_is_leased_stays) {
    vqemu_runtime *runtime = resolve(store, 0);
    vqemu_error_free(is_kept(newer, "in-use"));
    vqemu_runtime_unref(runtime);
    remove_revision(newer);
}
END_TEST

/* A broken one stops collection: this is the way out. */
START_TEST(one_that_is_broken_goes) {
    vqemu_runtime *runtime = resolve(store, 0);
    write_file(vqemu_revision_path(newer), "{", 0644);
    vqemu_error_free(is_kept(newer, "in-use"));
    vqemu_runtime_unref(runtime);
    remove_revision(newer);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 0);
    collect();
}
END_TEST

/* Whatever it is, the collection that it stops goes on without it. */
START_TEST(one_that_is_no_file_goes) {
    _cleanup_free_ char *path = scratch_path("store/cas/refs/" PROFILE "-0badf00d.json");
    write_file("elsewhere", "precious", 0644);
    for (int kind = 0; kind < 3; kind++) {
        if (kind == 0)
            ck_assert_int_eq(mkfifo(path, 0644), 0);
        else if (kind == 1)
            ck_assert_int_eq(symlink("../../../elsewhere", path), 0);
        else
            ck_assert_int_eq(mkdir(path, 0755), 0);
        ck_assert_int_eq(vqemu_store_remove_revision(store, PROFILE "-0badf00d", 0, NULL, NULL), 0);
        collect();
    }
    ck_assert(exists("elsewhere"));
}
END_TEST

START_TEST(what_is_not_there_is_told) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_store_remove_revision(store, PROFILE "-00000000", 0, NULL, &error),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_str_eq(vqemu_error_reason(error), "no-such-revision");
    ck_assert_int_eq(vqemu_store_remove_revision(store, PROFILE, 0, NULL, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_remove_revision(store, "../x-00000000", 0, NULL, &error),
                     VQEMU_ERR_INVALID);
}
END_TEST

START_TEST(mistakes_of_callers_are_told) {
    _cleanup_call_ vqemu_call *call = NULL;
    _cleanup_store_ vqemu_store *reader = open_store(VQEMU_STORE_READ_ONLY);
    const char *name = vqemu_revision_name(older);
    ck_assert_int_eq(vqemu_store_remove_revision(NULL, name, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_remove_revision(store, NULL, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_remove_revision(store, name, 1, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_remove_revision(reader, name, 0, NULL, NULL), VQEMU_ERR_READ_ONLY);
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(vqemu_store_remove_revision(store, name, 0, call, NULL), VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(count_entries("store/cas/refs"), 2);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("remove");
    TCase *tests = tcase_create("remove");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_revision_goes_with_its_tree_and_link);
    tcase_add_test(tests, the_link_to_another_tree_stays);
    tcase_add_test(tests, one_without_a_tree_goes);
    tcase_add_test(tests, one_that_is_pinned_stays);
    tcase_add_test(tests, one_that_was_set_to_be_used_stays);
    tcase_add_test(tests, one_that_is_leased_stays);
    tcase_add_test(tests, one_that_is_broken_goes);
    tcase_add_test(tests, one_that_is_no_file_goes);
    tcase_add_test(tests, what_is_not_there_is_told);
    tcase_add_test(tests, mistakes_of_callers_are_told);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
