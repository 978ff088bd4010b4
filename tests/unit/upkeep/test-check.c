/* SPDX-License-Identifier: MIT */
/* What a check of a store finds and tells. */
#include <stdio.h>
#include <unistd.h>

#include "base/call.h"
#include "one-revision.h"
#include "run.h"
#include "util/cleanup.h"

START_TEST(damage_is_found) {
    _cleanup_free_ char *path = object_path(revision, "firmware/bios.bin");
    ck_assert_uint_eq(count_problems(store, NULL, 0, NULL, 0), 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_uint_eq(count_problems(store, NULL, 0, NULL, 1), 1);
    ck_assert_uint_eq(count_problems(store, "emulate-x86", 0, NULL, 1), 1);
    ck_assert_uint_eq(count_problems(store, vqemu_revision_name(revision), 0, NULL, 1), 1);
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
}
END_TEST

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

int main(void) {
    Suite *suite = suite_create("check");
    TCase *tests = tcase_create("check");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, damage_is_found);
    tcase_add_test(tests, what_cannot_be_checked_is_an_error);
    tcase_add_test(tests, a_check_tells_how_far_it_is);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
