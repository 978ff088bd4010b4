/* SPDX-License-Identifier: MIT */
#include "store/revision.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "util/dir.h"
#include "util/strbuf.h"

static void write_revision(const char *name, const char *created_at) {
    _cleanup_free_ char *path = format_string("store/cas/refs/%s", name);
    _cleanup_free_ char *text =
        format_string("{\"name\":\"x\",\"created_at\":\"%s\",\"objects\":{}}", created_at);
    write_file(path, text, 0644);
}

static void expect_newest(vqemu_store *store, const char *profile, const char *expected) {
    _cleanup_revision_ vqemu_revision *revision = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_find_revision(store, profile, 0, NULL, &revision, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_str_eq(vqemu_revision_name(revision), expected);
    ck_assert_str_eq(vqemu_revision_profile_name(revision), profile);
}

START_TEST(the_newest_revision_is_the_one_made_last) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    write_revision("kvm-linux-00000009.json", "2025-01-01T00:00:00Z");
    write_revision("kvm-linux-00000005.json",
                   "2025-01-01T12:00:00+13:00"); /* the day before, in UTC */
    expect_newest(store, "kvm-linux", "kvm-linux-00000009");
    write_revision("kvm-linux-00000001.json", "2025-01-01T00:00:00.000000001Z");
    expect_newest(store, "kvm-linux", "kvm-linux-00000001");
    write_revision("kvm-linux-00000002.json", "2025-01-01T00:00:00.000000001Z"); /* a tie */
    expect_newest(store, "kvm-linux", "kvm-linux-00000002");
}
END_TEST

/* As a publisher does: the arrival is written down before refs/ changes, by which others see it. */
static void write_arrival(const char *name) {
    _cleanup_free_ char *path = format_string("store/cas/arrivals/%s", name);
    _cleanup_free_ char *refs = scratch_path("store/cas/refs");
    write_file(path, "", 0644);
    ck_assert_int_eq(utimensat(AT_FDCWD, refs, NULL, 0), 0);
}

/* What was written down decides; a time that only a manifest claims is compared with that. */
START_TEST(arrivals_decide_which_revision_is_the_newest) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    write_revision("kvm-linux-00000001.json", "2030-01-01T00:00:00Z");
    write_revision("kvm-linux-00000002.json", "2020-01-01T00:00:00Z");
    write_revision("kvm-linux-00000003.json", "2001-09-09T01:46:41Z"); /* 1000000001 */
    expect_newest(store, "kvm-linux", "kvm-linux-00000001");
    write_arrival("kvm-linux-00000001~1000000000.000000000");
    expect_newest(store, "kvm-linux", "kvm-linux-00000002");
    write_arrival("kvm-linux-00000002~1000000000.999999999");
    expect_newest(store, "kvm-linux", "kvm-linux-00000003");
    write_arrival("kvm-linux-00000001~1000000001.000000001"); /* again */
    expect_newest(store, "kvm-linux", "kvm-linux-00000001");
    write_arrival("kvm-linux-00000002~999999999999.999999999");
    expect_newest(store, "kvm-linux", "kvm-linux-00000002");
}
END_TEST

START_TEST(other_files_are_no_arrivals) {
    static const char *const others[] = {
        "kvm-linux-00000001",
        "kvm-linux-00000001~",
        "kvm-linux-00000001~5000000000",
        "kvm-linux-00000001~5000000000.",
        "kvm-linux-00000001~5000000000.00000000",
        "kvm-linux-00000001~5000000000.0000000000",
        "kvm-linux-00000001~.000000000",
        "kvm-linux-00000001~+5000000000.000000000",
        "kvm-linux-00000001~ 5000000000.000000000",
        "kvm-linux-00000001~-5000000000.000000000",
        "kvm-linux-00000001~5000000000000.000000000",
        "kvm-linux-00000001~0x5000000000.000000000",
        "kvm-linux-00000001~5000000000.000000000~",
        "kvm-linux-00000001.json~5000000000.000000000",
        "kvm-linux~5000000000.000000000",
        "~5000000000.000000000",
    };
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    write_revision("kvm-linux-00000001.json", "2020-01-01T00:00:00Z");
    write_revision("kvm-linux-00000002.json", "2030-01-01T00:00:00Z");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        _cleanup_free_ char *path = format_string("store/cas/arrivals/%s", others[i]);
        write_file(path, "", 0644);
        expect_newest(store, "kvm-linux", "kvm-linux-00000002");
    }
}
END_TEST

/* "Cannot tell" is not "none": else a manifest's claim would decide. */
START_TEST(arrivals_that_cannot_be_read_are_an_error) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_revision *revision = NULL;
    write_revision("kvm-linux-00000001.json", "2020-01-01T00:00:00Z");
    write_file("store/cas/arrivals", "no directory", 0644);
    ck_assert_int_eq(vqemu_store_find_revision(store, "kvm-linux", 0, NULL, &revision, &error),
                     VQEMU_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "cas/arrivals"));
}
END_TEST

START_TEST(only_exact_names_are_revisions) {
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
        write_revision(others[i], "2026-01-01T00:00:00Z");
    vqemu_revision *revision = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_store_find_revision(store, "kvm-linux", 0, NULL, &revision, &error),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "profile kvm-linux is not in"));
    write_revision("kvm-linux-12345678.json", "2000-01-01T00:00:00Z");
    expect_newest(store, "kvm-linux", "kvm-linux-12345678");
    expect_newest(store, "kvm-linux-extra", "kvm-linux-extra-12345678");
}
END_TEST

START_TEST(a_list_is_grouped_and_sorted) {
    static const char *const expected[] = {"a-00000002", "a-00000001", "a-0000000f", "b-00000001"};
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_list_ vqemu_revision_list *all = NULL, *one = NULL;
    write_revision("b-00000001.json", "2025-01-01T00:00:00Z");
    write_revision("a-00000001.json", "2025-01-01T00:00:00Z");
    write_revision("a-00000002.json", "2025-01-02T00:00:00Z");
    write_file("store/cas/refs/a-0000000f.json", "broken", 0644);
    ck_assert_int_eq(vqemu_store_list_revisions(store, NULL, 0, NULL, &all, NULL), 0);
    ck_assert_uint_eq(vqemu_revision_list_count(all), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(vqemu_revision_name(vqemu_revision_list_at(all, i)), expected[i]);
    ck_assert_ptr_null(vqemu_revision_list_at(all, 4));
    ck_assert_ptr_null(vqemu_revision_manifest(vqemu_revision_list_at(all, 2)));
    ck_assert_ptr_null(vqemu_revision_error(vqemu_revision_list_at(all, 0)));
    ck_assert_int_eq(vqemu_store_list_revisions(store, "b", 0, NULL, &one, NULL), 0);
    ck_assert_uint_eq(vqemu_revision_list_count(one), 1);
}
END_TEST

/* Why, in all that a program can ask an error for. */
START_TEST(a_revision_that_cannot_be_loaded_is_listed_with_its_error) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_list_ vqemu_revision_list *all = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_close_ int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    write_file("store/cas/refs/a-0000000e.json", "{\n\nbroken", 0644);
    _cleanup_free_ char *link = scratch_path("store/cas/refs/a-0000000f.json");
    ck_assert_int_eq(symlink("nowhere", link), 0);
    ck_assert_int_eq(vqemu_store_list_revisions(store, NULL, 0, NULL, &all, NULL), 0);
    ck_assert_uint_eq(vqemu_revision_list_count(all), 2);
    vqemu_revision *unreadable = vqemu_revision_list_at(all, 0);
    vqemu_revision *broken = vqemu_revision_list_at(all, 1);
    const vqemu_error *why = vqemu_revision_error(broken);
    ck_assert_int_eq(vqemu_error_code(why), VQEMU_ERR_MALFORMED);
    ck_assert_str_eq(vqemu_error_reason(why), "revision-broken");
    ck_assert_str_eq(vqemu_error_detail(why, VQEMU_DETAIL_REVISION), "a-0000000e");
    ck_assert_str_eq(vqemu_error_detail(why, VQEMU_DETAIL_PATH), vqemu_revision_path(broken));
    ck_assert_int_eq(vqemu_error_line(why), 3);
    why = vqemu_revision_error(unreadable);
    ck_assert_int_eq(vqemu_error_code(why), VQEMU_ERR_MALFORMED);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(why), "is a symbolic link"));
    ck_assert_int_eq(vqemu_store_export(store, unreadable, out, NULL, 0, NULL, &error),
                     VQEMU_ERR_MALFORMED);
    ck_assert_ptr_null(vqemu_revision_error(NULL));
}
END_TEST

START_TEST(a_broken_revision_of_the_profile_is_named) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_revision *revision = NULL;
    write_revision("kvm-linux-00000001.json", "2025-01-01T00:00:00Z");
    write_file("store/cas/refs/kvm-uefi-00000002.json", "{", 0644);
    expect_newest(store, "kvm-linux", "kvm-linux-00000001"); /* another profile's does not matter */
    write_file("store/cas/refs/kvm-linux-00000002.json", "{\"name\":", 0644);
    ck_assert_int_eq(vqemu_store_find_revision(store, "kvm-linux", 0, NULL, &revision, &error),
                     VQEMU_ERR_MALFORMED);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "refs/kvm-linux-00000002.json:1:"));
}
END_TEST

START_TEST(a_revision_must_be_a_file_of_its_profile) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_revision *revision = NULL;
    ck_assert_int_eq(
        symlinkat("../../../profile/lib/libone.so.1", scratch_fd, "store/cas/refs/a-00000001.json"),
        0);
    ck_assert_int_eq(vqemu_store_find_revision(store, "a-00000001", 0, NULL, &revision, NULL),
                     VQEMU_ERR_MALFORMED);
    ck_assert_int_eq(mkdirat(scratch_fd, "store/cas/refs/b-00000001.json", 0755), 0);
    ck_assert_int_eq(vqemu_store_find_revision(store, "b-00000001", 0, NULL, &revision, NULL),
                     VQEMU_ERR_MALFORMED);
    ck_assert_int_eq(mkfifoat(scratch_fd, "store/cas/refs/c-00000001.json", 0644), 0);
    ck_assert_int_eq(vqemu_store_find_revision(store, "c-00000001", 0, NULL, &revision, NULL),
                     VQEMU_ERR_MALFORMED);
    write_file("store/cas/refs/d-00000001.json",
               "{\"name\":\"d\",\"created_at\":\"2025-01-01T00:00:00Z\",\"objects\":{},"
               "\"profile\":\"kvm-linux\"}",
               0644);
    ck_assert_int_eq(vqemu_store_find_revision(store, "d-00000001", 0, NULL, &revision, NULL),
                     VQEMU_ERR_MALFORMED);
}
END_TEST

START_TEST(names_of_revisions_are_checked) {
    static const char *const names[] = {"", "../x-12345678", "a/b-12345678", ".a-12345678"};
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_revision *revision = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_int_eq(vqemu_store_find_revision(store, names[i], 0, NULL, &revision, NULL),
                         VQEMU_ERR_INVALID);
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_store_find_revision(store, "a-12345678", 0, NULL, &revision, &error),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_str_eq(vqemu_error_reason(error), "no-such-revision");
    ck_assert_str_eq(vqemu_error_detail(error, "revision"), "a-12345678");
    ck_assert_int_eq(vqemu_store_find_revision(store, "kvm-linux", 0, NULL, &revision, &error),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_str_eq(vqemu_error_reason(error), "profile-not-in-store");
    ck_assert_str_eq(vqemu_error_detail(error, "profile"), "kvm-linux");
    ck_assert_int_eq(vqemu_store_find_revision(store, NULL, 0, NULL, &revision, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_find_revision(store, "a", 2, NULL, &revision, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_find_revision(NULL, "a", 0, NULL, &revision, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_find_revision(store, "a", 0, NULL, NULL, NULL), VQEMU_ERR_USAGE);
}
END_TEST

START_TEST(only_names_of_profiles_have_lists) {
    static const char *const wrong[] = {"", "../x", ".", "a/b", "Kvm", "-x", "kvm-linux-12345678"};
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    write_revision("kvm-linux-12345678.json", "2026-01-01T00:00:00Z");
    vqemu_revision_list *list = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        ck_assert_msg(vqemu_store_list_revisions(store, wrong[i], 0, NULL, &list, &error) ==
                          VQEMU_ERR_INVALID,
                      "%s", wrong[i]);
        ck_assert_str_eq(vqemu_error_reason(error), "bad-name");
        ck_assert_str_eq(vqemu_error_detail(error, "value"), wrong[i]);
        ck_assert_ptr_null(list);
    }
    ck_assert_int_eq(vqemu_store_list_revisions(store, "emulate-x68", 0, NULL, &list, NULL), 0);
    ck_assert_uint_eq(vqemu_revision_list_count(list), 0);
    vqemu_revision_list_free(list);
}
END_TEST

static void is_of_another_store(int r, vqemu_error **made, const vqemu_revision *revision) {
    _cleanup_error_ vqemu_error *error = TAKE_POINTER(*made);
    ck_assert_msg(r == VQEMU_ERR_INVALID, "%s: %s", vqemu_result_name(r),
                  vqemu_error_message(error));
    ck_assert_str_eq(vqemu_error_reason(error), "other-store");
    ck_assert_str_eq(vqemu_error_detail(error, "revision"), vqemu_revision_name(revision));
    ck_assert_str_eq(vqemu_error_detail(error, "path"), vqemu_revision_path(revision));
}

START_TEST(a_revision_of_another_store_is_refused) {
    _cleanup_free_ char *path = scratch_path("other"), *third_path = scratch_path("third"),
                        *link = scratch_path("link"), *target = scratch_path("store");
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE), *other = NULL,
                                *third = NULL, *same = NULL;
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    ck_assert_int_eq(vqemu_store_open_root(path, VQEMU_STORE_CREATE, &other, NULL), 0);
    ck_assert_int_eq(vqemu_store_open_root(third_path, VQEMU_STORE_CREATE, &third, NULL), 0);
    vqemu_ingest *copied = NULL;
    vqemu_runtime *runtime = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_store_copy(other, revision, third, 0, NULL, &copied, &error);
    is_of_another_store(r, &error, revision);
    r = vqemu_store_export(other, revision, 1, NULL, 0, NULL, &error);
    is_of_another_store(r, &error, revision);
    r = vqemu_resolve(other, selection, revision, 0, NULL, &runtime, &error);
    is_of_another_store(r, &error, revision);
    /* The same store by another path is no other. */
    ck_assert_int_eq(symlink(target, link), 0);
    ck_assert_int_eq(vqemu_store_open_root(link, 0, &same, NULL), 0);
    ck_assert_int_eq(vqemu_resolve(same, selection, revision, 0, NULL, &runtime, NULL), 0);
    vqemu_runtime_unref(runtime);
}
END_TEST

START_TEST(a_store_that_was_removed_is_none) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_revision_list *list = NULL;
    vqemu_revision *revision = NULL;
    ck_assert_int_eq(remove_tree(scratch_fd, "store"), 0);
    ck_assert_int_eq(vqemu_store_list_revisions(store, NULL, 0, NULL, &list, NULL),
                     VQEMU_ERR_NO_STORE);
    ck_assert_int_eq(vqemu_store_find_revision(store, "kvm-linux", 0, NULL, &revision, NULL),
                     VQEMU_ERR_NO_STORE);
    ck_assert_int_eq(
        vqemu_store_find_revision(store, "kvm-linux-00000000", 0, NULL, &revision, NULL),
        VQEMU_ERR_NO_STORE);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("revision");
    TCase *tests = tcase_create("revision");
    tcase_add_checked_fixture(tests, make_scratch, remove_scratch);
    tcase_add_test(tests, the_newest_revision_is_the_one_made_last);
    tcase_add_test(tests, arrivals_decide_which_revision_is_the_newest);
    tcase_add_test(tests, other_files_are_no_arrivals);
    tcase_add_test(tests, arrivals_that_cannot_be_read_are_an_error);
    tcase_add_test(tests, only_exact_names_are_revisions);
    tcase_add_test(tests, a_list_is_grouped_and_sorted);
    tcase_add_test(tests, a_revision_that_cannot_be_loaded_is_listed_with_its_error);
    tcase_add_test(tests, a_broken_revision_of_the_profile_is_named);
    tcase_add_test(tests, a_revision_must_be_a_file_of_its_profile);
    tcase_add_test(tests, names_of_revisions_are_checked);
    tcase_add_test(tests, only_names_of_profiles_have_lists);
    tcase_add_test(tests, a_revision_of_another_store_is_refused);
    tcase_add_test(tests, a_store_that_was_removed_is_none);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
