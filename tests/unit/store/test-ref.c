/* SPDX-License-Identifier: MIT */
#include "store/ref.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "util/strbuf.h"

static void write_ref(const char *name, const char *created_at) {
    _cleanup_free_ char *path = format_string("store/cas/refs/%s", name);
    _cleanup_free_ char *text =
        format_string("{\"name\":\"x\",\"created_at\":\"%s\",\"objects\":{}}", created_at);
    write_file(path, text, 0644);
}

static void expect_newest(vqemu_store *store, const char *profile, const char *expected) {
    _cleanup_ref_ vqemu_ref *ref = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_newest_ref(store, profile, &ref, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_str_eq(vqemu_ref_name(ref), expected);
    ck_assert_str_eq(vqemu_ref_profile(ref), profile);
}

START_TEST(the_newest_ref_is_the_one_made_last) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    write_ref("kvm-linux-00000009.json", "2025-01-01T00:00:00Z");
    write_ref("kvm-linux-00000005.json", "2025-01-01T12:00:00+13:00"); /* the day before, in UTC */
    expect_newest(store, "kvm-linux", "kvm-linux-00000009");
    write_ref("kvm-linux-00000001.json", "2025-01-01T00:00:00.000000001Z");
    expect_newest(store, "kvm-linux", "kvm-linux-00000001");
    write_ref("kvm-linux-00000002.json", "2025-01-01T00:00:00.000000001Z"); /* a tie */
    expect_newest(store, "kvm-linux", "kvm-linux-00000002");
}
END_TEST

START_TEST(only_exact_names_are_refs) {
    static const char *const others[] = {
        "kvm-linux-extra-12345678.json",
        "kvm-linux-1234567.json",
        "kvm-linux-123456789.json",
        "kvm-linux-1234567G.json",
        "kvm-linux-ABCDEF01.json",
        "kvm-linux-12345678.json.bak",
        "kvm-linux-12345678",
        ".kvm-linux-12345678.json",
        "kvm-linux12345678.json",
        "xkvm-linux-12345678.json",
        "-12345678.json",
    };
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        write_ref(others[i], "2026-01-01T00:00:00Z");
    vqemu_ref *ref = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_store_newest_ref(store, "kvm-linux", &ref, &error), VQEMU_ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "profile kvm-linux is not in"));
    write_ref("kvm-linux-12345678.json", "2000-01-01T00:00:00Z");
    expect_newest(store, "kvm-linux", "kvm-linux-12345678");
    expect_newest(store, "kvm-linux-extra", "kvm-linux-extra-12345678");
}
END_TEST

START_TEST(a_list_is_grouped_and_sorted) {
    static const char *const expected[] = {"a-00000002", "a-00000001", "a-0000000f", "b-00000001"};
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_ref_list_ vqemu_ref_list *all = NULL, *one = NULL;
    write_ref("b-00000001.json", "2025-01-01T00:00:00Z");
    write_ref("a-00000001.json", "2025-01-01T00:00:00Z");
    write_ref("a-00000002.json", "2025-01-02T00:00:00Z");
    write_file("store/cas/refs/a-0000000f.json", "broken", 0644);
    ck_assert_int_eq(vqemu_store_list_refs(store, NULL, &all, NULL), 0);
    ck_assert_uint_eq(vqemu_ref_list_count(all), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(vqemu_ref_name(vqemu_ref_list_at(all, i)), expected[i]);
    ck_assert_ptr_null(vqemu_ref_list_at(all, 4));
    ck_assert_ptr_null(vqemu_ref_manifest(vqemu_ref_list_at(all, 2)));
    ck_assert_ptr_nonnull(strstr(vqemu_ref_problem(vqemu_ref_list_at(all, 2)), "a-0000000f.json"));
    ck_assert_ptr_null(vqemu_ref_problem(vqemu_ref_list_at(all, 0)));
    ck_assert_int_eq(vqemu_store_list_refs(store, "b", &one, NULL), 0);
    ck_assert_uint_eq(vqemu_ref_list_count(one), 1);
}
END_TEST

START_TEST(a_broken_ref_of_the_profile_is_named) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_ref *ref = NULL;
    write_ref("kvm-linux-00000001.json", "2025-01-01T00:00:00Z");
    write_file("store/cas/refs/kvm-uefi-00000002.json", "{", 0644);
    expect_newest(store, "kvm-linux", "kvm-linux-00000001"); /* another profile's does not matter */
    write_file("store/cas/refs/kvm-linux-00000002.json", "{\"name\":", 0644);
    ck_assert_int_eq(vqemu_store_newest_ref(store, "kvm-linux", &ref, &error), VQEMU_ERR_MALFORMED);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "refs/kvm-linux-00000002.json:1:"));
}
END_TEST

START_TEST(a_ref_must_be_a_file_of_its_profile) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_ref *ref = NULL;
    ck_assert_int_eq(
        symlinkat("../../../profile/lib/libone.so.1", scratch_fd, "store/cas/refs/a-00000001.json"),
        0);
    ck_assert_int_eq(vqemu_store_find_ref(store, "a-00000001", &ref, NULL), VQEMU_ERR_SYSTEM);
    ck_assert_int_eq(mkdirat(scratch_fd, "store/cas/refs/b-00000001.json", 0755), 0);
    ck_assert_int_eq(vqemu_store_find_ref(store, "b-00000001", &ref, NULL), VQEMU_ERR_MALFORMED);
    ck_assert_int_eq(mkfifoat(scratch_fd, "store/cas/refs/c-00000001.json", 0644), 0);
    ck_assert_int_eq(vqemu_store_find_ref(store, "c-00000001", &ref, NULL), VQEMU_ERR_MALFORMED);
    write_file("store/cas/refs/d-00000001.json",
               "{\"name\":\"d\",\"created_at\":\"2025-01-01T00:00:00Z\",\"objects\":{},"
               "\"profile\":\"kvm-linux\"}",
               0644);
    ck_assert_int_eq(vqemu_store_find_ref(store, "d-00000001", &ref, NULL), VQEMU_ERR_MALFORMED);
}
END_TEST

START_TEST(names_of_refs_are_checked) {
    static const char *const names[] = {"",   "kvm-linux",  "../x-12345678", "a/b-12345678",
                                        NULL, ".a-12345678"};
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_ref *ref = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_int_eq(vqemu_store_find_ref(store, names[i], &ref, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_find_ref(store, "a-12345678", &ref, NULL), VQEMU_ERR_NOT_FOUND);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ref");
    TCase *tests = tcase_create("ref");
    tcase_add_checked_fixture(tests, make_scratch, remove_scratch);
    tcase_add_test(tests, the_newest_ref_is_the_one_made_last);
    tcase_add_test(tests, only_exact_names_are_refs);
    tcase_add_test(tests, a_list_is_grouped_and_sorted);
    tcase_add_test(tests, a_broken_ref_of_the_profile_is_named);
    tcase_add_test(tests, a_ref_must_be_a_file_of_its_profile);
    tcase_add_test(tests, names_of_refs_are_checked);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
