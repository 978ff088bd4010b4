/* SPDX-License-Identifier: MIT */
/* How damage is put right, and what it needs. */
#include <stdio.h>
#include <unistd.h>

#include "one-revision.h"
#include "run.h"
#include "util/cleanup.h"

START_TEST(damage_is_repaired_from_a_directory) {
    _cleanup_free_ char *path = object_path(revision, "firmware/bios.bin"),
                        *source = scratch_path("profile");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_uint_eq(count_problems(store, "emulate-x86", VQEMU_CHECK_REPAIR, NULL, 1), 1);
    ck_assert_uint_eq(
        count_problems(store, vqemu_revision_name(revision), VQEMU_CHECK_REPAIR, source, 0), 1);
    ck_assert_uint_eq(count_problems(store, NULL, 0, NULL, 0), 0);
}
END_TEST

START_TEST(a_source_must_be_there) {
    vqemu_check *check = (vqemu_check *)&store;     /* must become NULL */
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

int main(void) {
    Suite *suite = suite_create("repair");
    TCase *tests = tcase_create("repair");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, damage_is_repaired_from_a_directory);
    tcase_add_test(tests, a_source_must_be_there);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
