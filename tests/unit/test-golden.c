/* SPDX-License-Identifier: MIT */
/*
 * The golden set: each folder of tests/cases/commands has a selection and a VM, and the shell text
 * and unit that must come out, to the byte. tests/cases/commands/README.md says how to change them.
 */
#include "cases.h"
#include "command.h"
#include "error.h"
#include "host.h"
#include "runtime.h"
#include "selection.h"
#include "vm.h"
#include "volt-qemu/unit.h"

/* With UPDATE_GOLDEN in the environment, write down what comes out instead of comparing it. */
static void compare_or_update(int index, const char *file, const char *actual) {
    if (getenv("UPDATE_GOLDEN")) {
        _cleanup_free_ char *path = case_path(index, file);
        FILE *stream = fopen(path, "w");
        ck_assert_ptr_nonnull(stream);
        fputs(actual, stream);
        ck_assert_int_eq(fclose(stream), 0);
        return;
    }
    size_t size;
    _cleanup_free_ char *expected = read_case_file(index, file, &size);
    ck_assert_msg(expected && strcmp(actual, expected) == 0, "%s/%s: expected:\n%s\nbut got:\n%s",
                  case_names[index], file, expected, actual);
}

/* The file "selection" has one line: host architecture, profile, guest architecture. */
static vqemu_selection *read_selection(int index) {
    size_t size;
    _cleanup_free_ char *text = read_case_file(index, "selection", &size);
    char host_arch[32], profile[32], guest_arch[32];
    ck_assert_int_eq(sscanf(text, "%31s %31s %31s", host_arch, profile, guest_arch), 3);
    _cleanup_host_ vqemu_host *host = NULL;
    vqemu_selection *selection = NULL;
    ck_assert_int_eq(vqemu_host_new(host_arch, VQEMU_KVM_USABLE, &host, NULL), 0);
    ck_assert_int_eq(vqemu_select_profile(host, profile, guest_arch, &selection, NULL), 0);
    return selection;
}

static vqemu_runtime *make_runtime(const vqemu_selection *selection) {
    _cleanup_free_ char *binary = format_string(
        "/volt/tree/bin/%s", vqemu_guest_arch_binary(vqemu_selection_guest_arch(selection)));
    vqemu_runtime *runtime = NULL;
    ck_assert_int_eq(vqemu_runtime_new(selection, binary, "/volt/tree/firmware", "/volt/tree/lib",
                                       "/volt/tree/lib/qemu", "/volt/tree/lib/ld-linux-x86-64.so.2",
                                       &runtime, NULL),
                     0);
    return runtime;
}

START_TEST(command_and_unit_are_as_written_down) {
    _cleanup_free_ char *path = case_path(_i, "vm.json");
    _cleanup_selection_ vqemu_selection *selection = read_selection(_i);
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(selection);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_command_ vqemu_command *command = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *shell = NULL, *unit = NULL;
    int r = vqemu_vm_from_file(path, &vm, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    r = vqemu_command_build(runtime, vm, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_int_eq(vqemu_command_to_shell(command, &shell, NULL), 0);
    ck_assert_int_eq(vqemu_unit_text(command, &unit, NULL), 0);
    compare_or_update(_i, "command.sh", shell);
    compare_or_update(_i, "unit.service", unit);
}
END_TEST

START_TEST(there_are_cases) {
    ck_assert_int_ge(case_count, 10);
}
END_TEST

int main(void) {
    find_cases("commands");
    Suite *suite = suite_create("golden");
    TCase *tests = tcase_create("golden");
    tcase_add_test(tests, there_are_cases);
    tcase_add_loop_test(tests, command_and_unit_are_as_written_down, 0, case_count);
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
