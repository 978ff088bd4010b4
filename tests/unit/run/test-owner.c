/* SPDX-License-Identifier: MIT */
/* The look-up of a VM's user, by a name service of the test's own. */
#include <volt-qemu/prepare.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/call.h"
#include "prepared-vm.h"
#include "run.h"
#include "run/owner.h"

/* ---- the name service ---- */

#define KNOWN "volt-web"
#define KNOWN_GROUP 4321
#define DEADLINE 200 /* milliseconds */

static bool is_slow;
static int lookups;

static int answer(bool is_known, struct passwd *record, struct passwd **found) {
    const struct timespec longer = {.tv_nsec = (DEADLINE + 100) * 1000000L};
    lookups++;
    if (is_slow)
        nanosleep(&longer, NULL);
    *record = (struct passwd){.pw_uid = OTHER_USER, .pw_gid = KNOWN_GROUP};
    *found = is_known ? record : NULL;
    return 0;
}

/* In place of libc's. */
int getpwnam_r(const char *name, struct passwd *record, char *buffer, size_t size,
               struct passwd **found) {
    (void)buffer;
    (void)size;
    return answer(strcmp(name, KNOWN) == 0, record, found);
}

int getpwuid_r(uid_t uid, struct passwd *record, char *buffer, size_t size, struct passwd **found) {
    (void)buffer;
    (void)size;
    return answer(uid == OTHER_USER, record, found);
}

static void set_up(void) {
    make_directory();
    is_slow = false;
    lookups = 0;
}

/* ---- tests ---- */

START_TEST(a_look_up_that_takes_too_long_is_a_timeout) {
    static const char *const users[] = {KNOWN, "no-such-user", "12345"};
    is_slow = true;
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm_of_user(users[i]);
        _cleanup_call_ vqemu_call *call = make_call(VQEMU_CALL_DEADLINE_MS, DEADLINE);
        _cleanup_error_ vqemu_error *error = NULL;
        ck_assert_int_eq(prepare_by(vm, 0, call, &error), VQEMU_ERR_TIMEOUT);
        ck_assert_int_eq(vqemu_error_code(error), VQEMU_ERR_TIMEOUT);
        ck_assert_str_eq(vqemu_error_reason(error), "deadline");
        ck_assert(!exists("b/run"));
    }
    ck_assert_int_eq(lookups, 3);
}
END_TEST

START_TEST(a_user_that_there_is_not_is_told) {
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_user("no-such-user");
    fails(vm, 0, VQEMU_ERR_NOT_FOUND, "no user \"no-such-user\"");
}
END_TEST

START_TEST(a_number_is_looked_up_for_its_group_alone) {
    struct owner owner;
    char self[24];
    ck_assert_int_eq(owner_find("12345", &owner, NULL), 0);
    ck_assert_int_eq(owner.uid, OTHER_USER);
    ck_assert_int_eq(owner.gid, KNOWN_GROUP);
    ck_assert_int_eq(owner_find("12346", &owner, NULL), 0);
    ck_assert_int_eq(owner.uid, 12346);
    ck_assert_int_eq(owner.gid, 12346);
    ck_assert_int_eq(lookups, 2);
    snprintf(self, sizeof self, "%u", (unsigned)geteuid());
    ck_assert_int_eq(owner_find(self, &owner, NULL), 0);
    ck_assert_int_eq(owner.uid, geteuid());
    ck_assert(owner.is_user);
    ck_assert_int_eq(owner_find(NULL, &owner, NULL), 0);
    ck_assert(!owner.is_user);
    ck_assert_int_eq(lookups, 2);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("owner");
    TCase *tests = tcase_create("owner");
    tcase_add_checked_fixture(tests, set_up, remove_scratch);
    tcase_add_test(tests, a_look_up_that_takes_too_long_is_a_timeout);
    tcase_add_test(tests, a_user_that_there_is_not_is_told);
    tcase_add_test(tests, a_number_is_looked_up_for_its_group_alone);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
