/* SPDX-License-Identifier: MIT */
/* Which revision of a profile is used: rolling back, and forward again. */
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
#define CURRENT "store/cas/current/" PROFILE

static void set(const char *name) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_set_current(store, name, 0, NULL, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

/* What a handle takes for the profile: found, resolved, and linked. */
static void is_used(vqemu_store *of, const vqemu_revision *expected) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_revision_ vqemu_revision *found = NULL;
    int r = vqemu_store_find_revision(of, PROFILE, 0, NULL, &found, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_str_eq(vqemu_revision_name(found), vqemu_revision_name(expected));
    ck_assert_ptr_nonnull(vqemu_revision_manifest(found));
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(of, 0);
    ck_assert_str_eq(vqemu_runtime_revision_name(runtime), vqemu_revision_name(expected));
    char target[128];
    ssize_t length = readlinkat(scratch_fd, "store/qemu/" PROFILE, target, sizeof target - 1);
    ck_assert_int_gt(length, 0);
    target[length] = '\0';
    ck_assert_ptr_nonnull(strstr(target, vqemu_runtime_digest(runtime)));
}

static void is_error(int code, const char *reason) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_revision_ vqemu_revision *found = NULL;
    ck_assert_int_eq(vqemu_store_find_revision(store, PROFILE, 0, NULL, &found, &error), code);
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_str_eq(vqemu_error_detail(error, "profile"), PROFILE);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "/current/" PROFILE));
    resolve_fails(store, 0, code, "/current/" PROFILE);
}

START_TEST(a_profile_is_rolled_back_and_forward) {
    is_used(store, newer);
    set(vqemu_revision_name(older));
    is_used(store, older);
    is_used(store, older); /* as remembered */
    _cleanup_free_ char *text = read_file(CURRENT),
                        *expected = format_string("%s\n", vqemu_revision_name(older));
    ck_assert_str_eq(text, expected);
    set(PROFILE);
    is_used(store, newer);
    ck_assert(!exists(CURRENT));
    set(PROFILE); /* it is already */
}
END_TEST

/* Both remember what they found. */
START_TEST(others_see_it_at_once) {
    _cleanup_store_ vqemu_store *other = open_store(0);
    usleep(200000); /* what has only just changed is not remembered */
    for (int i = 0; i < 5; i++) {
        set(vqemu_revision_name(older));
        is_used(other, older);
        is_used(store, older);
        set(vqemu_revision_name(newer));
        is_used(other, newer);
        set(PROFILE);
        is_used(other, newer);
        is_used(store, newer);
    }
}
END_TEST

START_TEST(what_is_built_later_is_not_used) {
    set(vqemu_revision_name(newer));
    write_file("profile/firmware/bios.bin", "newest", 0644);
    _cleanup_revision_ vqemu_revision *newest = build(store, NULL);
    is_used(store, newer);
    set(PROFILE);
    is_used(store, newest);
}
END_TEST

START_TEST(the_manifest_is_read_again_when_it_changes) {
    set(vqemu_revision_name(older));
    is_used(store, older);
    usleep(200000);
    is_used(store, older);
    write_file(vqemu_revision_path(older), "{", 0644);
    _cleanup_revision_ vqemu_revision *found = NULL;
    ck_assert_int_eq(vqemu_store_find_revision(store, PROFILE, 0, NULL, &found, NULL),
                     VQEMU_ERR_MALFORMED);
}
END_TEST

START_TEST(one_that_is_gone_is_told) {
    set(vqemu_revision_name(older));
    is_used(store, older);
    ck_assert_int_eq(unlink(vqemu_revision_path(older)), 0);
    is_error(VQEMU_ERR_NO_REVISION, "current-gone");
    set(PROFILE);
    is_used(store, newer);
}
END_TEST

START_TEST(a_file_that_names_none_is_told) {
    static const char *const contents[] = {"", "\n", "x\n", "kvm-linux-00000000\n",
                                           "../" PROFILE "-00000000\n"};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        write_file(CURRENT, contents[i], 0644);
        is_error(VQEMU_ERR_MALFORMED, "current-broken");
    }
    ck_assert_int_eq(unlinkat(scratch_fd, CURRENT, 0), 0);
    ck_assert_int_eq(symlinkat("/dev/null", scratch_fd, CURRENT), 0);
    is_error(VQEMU_ERR_MALFORMED, "current-broken");
    set(vqemu_revision_name(older));
    is_used(store, older);
    ck_assert_int_eq(unlinkat(scratch_fd, CURRENT, 0), 0);
    ck_assert_int_eq(mkdirat(scratch_fd, CURRENT, 0755), 0);
    is_error(VQEMU_ERR_MALFORMED, "current-broken");
}
END_TEST

/* A digit too few, one too many, another one; the name of the profile with a letter too few. */
START_TEST(what_may_be_meant_is_told) {
    const char *name = vqemu_revision_name(older);
    size_t length = strlen(name);
    _cleanup_free_ char *shorter = strndup(name, length - 1), *longer = format_string("%s0", name),
                        *other = format_string("%.*s%c", (int)length - 1, name,
                                               name[length - 1] == '0' ? '1' : '0');
    const char *const cases[][2] = {
        {shorter, name}, {longer, name}, {other, name}, {"emulate-x8", PROFILE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_revision *found = NULL;
        ck_assert_int_eq(vqemu_store_set_current(store, cases[i][0], 0, NULL, &error),
                         VQEMU_ERR_NO_REVISION);
        ck_assert_pstr_eq(vqemu_error_detail(error, "suggestion"), cases[i][1]);
        ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "; perhaps it is "));
        ck_assert_int_eq(vqemu_store_find_revision(store, cases[i][0], 0, NULL, &found, &error),
                         VQEMU_ERR_NO_REVISION);
        ck_assert_pstr_eq(vqemu_error_detail(error, "suggestion"), cases[i][1]);
    }
}
END_TEST

START_TEST(only_what_is_there_can_be_set) {
    _cleanup_error_ vqemu_error *error = NULL;
    set(vqemu_revision_name(older));
    ck_assert_int_eq(vqemu_store_set_current(store, PROFILE "-00000000", 0, NULL, &error),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_str_eq(vqemu_error_reason(error), "no-such-revision");
    ck_assert_int_eq(vqemu_store_set_current(store, "kvm-uefi", 0, NULL, &error),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_str_eq(vqemu_error_reason(error), "profile-not-in-store");
    ck_assert_ptr_null(vqemu_error_detail(error, "suggestion"));
    static const char *const bad[] = {"", ".", "..", "../refs", ("../refs/" PROFILE)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(vqemu_store_set_current(store, bad[i], 0, NULL, &error),
                         VQEMU_ERR_INVALID);
    write_file(vqemu_revision_path(newer), "{", 0644);
    ck_assert_int_eq(vqemu_store_set_current(store, vqemu_revision_name(newer), 0, NULL, &error),
                     VQEMU_ERR_MALFORMED);
    is_used(store, older);
}
END_TEST

START_TEST(mistakes_of_callers_are_told) {
    _cleanup_call_ vqemu_call *call = NULL;
    _cleanup_store_ vqemu_store *reader = open_store(VQEMU_STORE_READ_ONLY);
    const char *name = vqemu_revision_name(older);
    ck_assert_int_eq(vqemu_store_set_current(NULL, name, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_set_current(store, NULL, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_set_current(store, name, 1, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_set_current(reader, name, 0, NULL, NULL), VQEMU_ERR_READ_ONLY);
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(vqemu_store_set_current(store, name, 0, call, NULL), VQEMU_ERR_CANCELLED);
    ck_assert(!exists(CURRENT));
}
END_TEST

START_TEST(the_umask_does_not_decide) {
    mode_t mask = umask(077);
    set(vqemu_revision_name(older));
    umask(mask);
    ck_assert_uint_eq(stat_of(CURRENT).st_mode, S_IFREG | 0644);
    ck_assert_int_eq(count_entries("store/cas/current"), 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("current");
    TCase *tests = tcase_create("current");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_profile_is_rolled_back_and_forward);
    tcase_add_test(tests, others_see_it_at_once);
    tcase_add_test(tests, what_is_built_later_is_not_used);
    tcase_add_test(tests, the_manifest_is_read_again_when_it_changes);
    tcase_add_test(tests, one_that_is_gone_is_told);
    tcase_add_test(tests, a_file_that_names_none_is_told);
    tcase_add_test(tests, what_may_be_meant_is_told);
    tcase_add_test(tests, only_what_is_there_can_be_set);
    tcase_add_test(tests, mistakes_of_callers_are_told);
    tcase_add_test(tests, the_umask_does_not_decide);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
