/* SPDX-License-Identifier: MIT */
/* Exports and imports as a C program uses them; archives of every kind are in
 * tests/e2e/test_archives.py. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "one-revision.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/store.h"

/* In the C locale, too, which this program is in. */
START_TEST(an_export_is_imported_as_the_same_revision) {
    write_file("profile/firmware/gr\303\274n.bin", "green", 0644);
    vqemu_revision_unref(revision);
    revision = build(store, NULL);
    export_archive(store, revision);
    _cleanup_store_ vqemu_store *other = open_other_store();
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
    export_archive(store, revision);
    _cleanup_store_ vqemu_store *other = open_other_store();
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

START_TEST(what_is_not_whole_is_told_or_refused) {
    export_archive(store, revision);
    _cleanup_store_ vqemu_store *other = open_other_store();
    _cleanup_ingest_ vqemu_ingest *imported = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_ingest *refused = NULL;
    _cleanup_close_ int fd = open_archive(O_RDONLY);
    ck_assert_int_eq(vqemu_store_import(other, fd, "a.tar", NULL,
                                        VQEMU_IMPORT_ANY_PROFILE | VQEMU_IMPORT_WHOLE, NULL,
                                        &refused, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "not-whole");
    ck_assert_str_eq(vqemu_error_detail(error, "path"), "a.tar");
    ck_assert_str_eq(vqemu_error_detail(error, "entry"), "bin/qemu-system-x86_64");
    ck_assert_int_eq(count_entries("other/cas/objects"), 0);
    ck_assert_int_eq(count_entries("other/cas/refs"), 0);
    ck_assert_int_eq(count_entries("other/cas/tmp"), 0);

    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    ck_assert_int_eq(vqemu_store_import(other, fd, "a.tar", NULL, VQEMU_IMPORT_ANY_PROFILE, NULL,
                                        &imported, &error),
                     0);
    const vqemu_closure *closure = vqemu_ingest_closure(imported);
    ck_assert_uint_eq(vqemu_closure_problem_count(closure), 1);
    ck_assert_str_eq(vqemu_closure_name(closure, 0), "bin/qemu-system-x86_64"); /* a script */
}
END_TEST

START_TEST(misuse_is_refused) {
    vqemu_ingest *result = NULL;
    ck_assert_int_eq(vqemu_store_export(NULL, revision, 1, NULL, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_export(store, NULL, 1, NULL, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_export(store, revision, 1, NULL, 1, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_import(NULL, 0, NULL, NULL, 0, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_import(store, 0, NULL, NULL, 4, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_import(store, 0, NULL, NULL, 0, NULL, NULL, NULL),
                     VQEMU_ERR_USAGE);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("archive");
    TCase *tests = tcase_create("archive");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, an_export_is_imported_as_the_same_revision);
    tcase_add_test(tests, an_import_that_is_too_large_is_refused);
    tcase_add_test(tests, what_is_not_whole_is_told_or_refused);
    tcase_add_test(tests, misuse_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
