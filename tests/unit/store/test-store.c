/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "store/revision.h"
#include "tree/runtime.h"

START_TEST(a_missing_store_is_named) {
    _cleanup_free_ char *root = scratch_path("store");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_store *store = (vqemu_store *)&error;
    ck_assert_int_eq(vqemu_store_open_root(root, 0, &store, &error), VQEMU_ERR_NO_STORE);
    ck_assert_str_eq(vqemu_error_reason(error), "no-store");
    ck_assert_ptr_nonnull(strstr(vqemu_error_detail(error, "path"), root));
    ck_assert_ptr_null(store);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), root));
    ck_assert(!exists("store"));
}
END_TEST

START_TEST(a_store_is_made_if_asked_for) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_store_ vqemu_store *again = open_store(VQEMU_STORE_CREATE);
    _cleanup_store_ vqemu_store *plain = open_store(0);
    ck_assert(exists("store/cas/objects") && exists("store/cas/refs") &&
              exists("store/qemu/trees"));
}
END_TEST

START_TEST(flags_are_checked) {
    static const uint32_t flags[] = {4, 0x80000000, VQEMU_STORE_CREATE | VQEMU_STORE_READ_ONLY};
    for (size_t i = 0; i < 3; i++) {
        vqemu_store *store = NULL;
        ck_assert_int_eq(vqemu_store_open_root(scratch, flags[i], &store, NULL), VQEMU_ERR_USAGE);
        ck_assert_ptr_null(store);
    }
    vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_open_root("", 0, &store, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_open_root(NULL, 0, &store, NULL), VQEMU_ERR_USAGE);
}
END_TEST

START_TEST(a_file_is_no_store) {
    _cleanup_free_ char *root = scratch_path("profile/lib/libone.so.1");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_open_root(root, VQEMU_STORE_CREATE, &store, &error),
                     VQEMU_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), root));
}
END_TEST

START_TEST(a_relative_root_stays_where_it_was) {
    _cleanup_store_ vqemu_store *store = NULL;
    ck_assert_int_eq(fchdir(scratch_fd), 0);
    ck_assert_int_eq(vqemu_store_open_root("store//", VQEMU_STORE_CREATE, &store, NULL), 0);
    ck_assert_int_eq(chdir("/"), 0);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(strncmp(vqemu_runtime_tree(runtime), scratch, strlen(scratch)), 0);
}
END_TEST

static vqemu_store *open_parts(const char *objects, const char *refs, const char *trees,
                               const char *links) {
    const char *const values[][2] = {
        {VQEMU_STORE_OBJECTS, objects},
        {VQEMU_STORE_REFS, refs},
        {VQEMU_STORE_TREES, trees},
        {VQEMU_STORE_LINKS, links},
    };
    vqemu_store_options *options = NULL;
    vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(vqemu_store_options_set_string(options, values[i][0], values[i][1], NULL),
                         0);
    ck_assert_int_eq(vqemu_store_open(options, VQEMU_STORE_CREATE, &store, NULL), 0);
    vqemu_store_options_free(options);
    return store;
}

START_TEST(options_are_checked) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_store_options *options = NULL;
    vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_options_new(NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_store_open(options, 0, &store, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "objects");
    ck_assert_int_eq(vqemu_store_options_set_string(options, "objects", "", &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "size", "1", &error),
                     VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_int_eq(vqemu_store_options_set_string(NULL, "root", "/", &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_options_set_string(options, NULL, "/", &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_open(NULL, 0, &store, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_open(options, 0, NULL, &error), VQEMU_ERR_USAGE);
    vqemu_store_options_free(options);
    vqemu_store_options_free(NULL);
}
END_TEST

START_TEST(a_part_of_a_root_can_lie_elsewhere) {
    _cleanup_free_ char *root = scratch_path("store"), *trees = scratch_path("trees");
    vqemu_store_options *options = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "root", root, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "trees", trees, NULL), 0);
    ck_assert_int_eq(vqemu_store_open(options, VQEMU_STORE_CREATE, &store, NULL), 0);
    vqemu_store_options_free(options);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(count_entries("trees"), 1);
    ck_assert_int_eq(count_entries("store/cas/refs"), 1);
    _cleanup_free_ char *through_link = read_file("store/qemu/emulate-x86/firmware/bios.bin");
    ck_assert_str_eq(through_link, "firmware");
}
END_TEST

START_TEST(the_parts_can_lie_apart) {
    _cleanup_free_ char *objects = scratch_path("a/objects"), *refs = scratch_path("b"),
                        *trees = scratch_path("c/d"), *links = scratch_path("e");
    _cleanup_store_ vqemu_store *store = open_parts(objects, refs, trees, links);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(count_entries("a/objects"), 5);
    ck_assert_int_eq(count_entries("b"), 1);
    ck_assert_int_eq(count_entries("c/d"), 1);
    _cleanup_free_ char *through_link = read_file("e/emulate-x86/firmware/bios.bin");
    ck_assert_str_eq(through_link, "firmware");
    ck_assert_int_eq(count_entries("a/tmp"), 0);
}
END_TEST

START_TEST(without_a_directory_for_links_there_are_none) {
    _cleanup_free_ char *objects = scratch_path("objects"), *refs = scratch_path("refs"),
                        *trees = scratch_path("trees");
    _cleanup_store_ vqemu_store *store = open_parts(objects, refs, trees, NULL);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(count_entries("trees"), 1);
    ck_assert(!exists("emulate-x86"));
}
END_TEST

START_TEST(a_read_only_store_serves_what_is_assembled) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_store_ vqemu_store *read_only = open_store(VQEMU_STORE_READ_ONLY);
    resolve_fails(read_only, 0, VQEMU_ERR_READ_ONLY, "is read-only");
    vqemu_runtime_unref(resolve(store, 0));
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(read_only, VQEMU_RESOLVE_VERIFY);
    vqemu_ingest *other = NULL;
    ck_assert_int_eq(ingest(read_only, NULL, &other, NULL), VQEMU_ERR_READ_ONLY);
}
END_TEST

START_TEST(descriptors_are_closed_on_exec_and_in_the_end) {
    int before = count_entries("/proc/self/fd");
    {
        _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
        _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
        _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
        ck_assert_int_eq(fcntl(store->objects_fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fcntl(store->refs_fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fcntl(vqemu_runtime_lease_fd(runtime), F_GETFD), FD_CLOEXEC);
        resolve_fails(store, 99, VQEMU_ERR_USAGE, "flags");
    }
    ck_assert_int_eq(count_entries("/proc/self/fd"), before);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");
    tcase_add_checked_fixture(tests, make_scratch, remove_scratch);
    tcase_add_test(tests, a_missing_store_is_named);
    tcase_add_test(tests, a_store_is_made_if_asked_for);
    tcase_add_test(tests, flags_are_checked);
    tcase_add_test(tests, a_file_is_no_store);
    tcase_add_test(tests, a_relative_root_stays_where_it_was);
    tcase_add_test(tests, options_are_checked);
    tcase_add_test(tests, a_part_of_a_root_can_lie_elsewhere);
    tcase_add_test(tests, the_parts_can_lie_apart);
    tcase_add_test(tests, without_a_directory_for_links_there_are_none);
    tcase_add_test(tests, a_read_only_store_serves_what_is_assembled);
    tcase_add_test(tests, descriptors_are_closed_on_exec_and_in_the_end);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
