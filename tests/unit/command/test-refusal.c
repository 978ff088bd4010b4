/* SPDX-License-Identifier: MIT */
/*
 * What does not go together: each folder of tests/cases/refusals has a selection and a VM that no
 * command can be built of, and the error, as tests/cases/refusals/README.md describes it.
 */
#include "base/error.h"
#include "command/command.h"
#include "guest-case.h"
#include "vm/vm.h"

/* The message begins with the key, which is a detail as well; not so what is about all PCI devices.
 */
static bool has_its_key(const vqemu_error *error) {
    const char *message = vqemu_error_message(error), *key = vqemu_error_detail(error, "key");
    if (strstr(message, " PCI devices"))
        return true;
    size_t length = key ? strlen(key) : 0;
    return key && strncmp(message, key, length) == 0 && strncmp(message + length, ": ", 2) == 0;
}

START_TEST(what_does_not_go_together_is_refused) {
    _cleanup_free_ char *path = case_path(_i, "vm.json"), *expected = read_case_error(_i);
    _cleanup_runtime_ vqemu_runtime *runtime = make_case_runtime(_i);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = (vqemu_command *)&error;
    int r = vqemu_vm_from_file(path, 0, &vm, &error);
    ck_assert_msg(r == 0, "%s: %s", case_names[_i], vqemu_error_message(error));
    r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error);
    ck_assert_msg(r < 0, "%s: it was not refused", case_names[_i]);
    ck_assert_ptr_null(command);
    const char *code = r == VQEMU_ERR_INVALID       ? "invalid"
                       : r == VQEMU_ERR_UNSUPPORTED ? "unsupported"
                                                    : "another error";
    _cleanup_free_ char *actual = format_string("%s: %s", code, vqemu_error_message(error));
    ck_assert_msg(strcmp(actual, expected) == 0, "%s: expected \"%s\", got \"%s\"", case_names[_i],
                  expected, actual);
    ck_assert_msg(has_its_key(error), "%s: %s", case_names[_i], actual);
}
END_TEST

START_TEST(there_are_cases) {
    ck_assert_int_ge(case_count, 50);
}
END_TEST

int main(void) {
    find_cases("refusals");
    Suite *suite = suite_create("refusal");
    TCase *tests = tcase_create("refusal");
    tcase_add_test(tests, there_are_cases);
    tcase_add_loop_test(tests, what_does_not_go_together_is_refused, 0, case_count);
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
