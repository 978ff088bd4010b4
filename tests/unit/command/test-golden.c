/* SPDX-License-Identifier: MIT */
/*
 * The golden set: each folder of tests/cases/commands has a selection and a VM, and the shell text,
 * units and digests that must come out, to the byte. tests/cases/commands/README.md says how to
 * change them.
 */
#include "base/error.h"
#include "command/command.h"
#include "guest-case.h"
#include "vm/vm.h"
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

/* All units, each behind its name, or why there are none; of a user, if the VM has none. */
static char *make_units(vqemu_runtime *runtime, vqemu_vm *vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    static const char *const stop[] = {"/usr/bin/volt-qemu", "stop", NULL};
    vqemu_unit_options *options = NULL;
    vqemu_units *units = NULL;
    struct strbuf text = {0};
    ck_assert_int_eq(vqemu_unit_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_unit_options_set_stop_command(options, stop, NULL), 0);
    if (!vm->user)
        ck_assert_int_eq(vqemu_vm_set_string(vm, VQEMU_KEY_USER, "vm", NULL), 0);
    if (vqemu_units_build(runtime, vm, NULL, options, 0, NULL, &units, &error) < 0)
        strbuf_addf(&text, "%s: %s\n", vqemu_result_name(vqemu_error_code(error)),
                    vqemu_error_message(error));
    for (size_t i = 0; units && i < vqemu_units_count(units); i++)
        strbuf_addf(&text, "%s# %s\n%s", i > 0 ? "\n" : "", vqemu_units_name(units, i),
                    vqemu_units_text(units, i));
    vqemu_units_free(units);
    vqemu_unit_options_free(options);
    return strbuf_take(&text);
}

/* By what a guest's hardware and a command are recognised: they stay, whatever makes them. */
static char *list_digests(const vqemu_command *command) {
    return format_string("command %s\nhardware %s\n",
                         vqemu_command_digest(command, VQEMU_DIGEST_COMMAND),
                         vqemu_command_digest(command, VQEMU_DIGEST_HARDWARE));
}

START_TEST(command_and_units_are_as_written_down) {
    _cleanup_free_ char *path = case_path(_i, "vm.json");
    _cleanup_runtime_ vqemu_runtime *runtime = make_case_runtime(_i);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_command_ vqemu_command *command = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *shell = NULL;
    int r = vqemu_vm_from_file(path, 0, &vm, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_int_eq(vqemu_command_to_shell(command, 0, &shell, NULL), 0);
    _cleanup_free_ char *units = make_units(runtime, vm);
    compare_or_update(_i, "command.sh", shell);
    compare_or_update(_i, "units", units);
    _cleanup_free_ char *digests = list_digests(command);
    compare_or_update(_i, "digests", digests);
}
END_TEST

/* An id that a device of the command has, for a NIC, or for a disk where NICs have such ids. */
static void refuse_id(int index, vqemu_runtime *runtime, const vqemu_vm *vm, const char *id) {
    _cleanup_vm_ vqemu_vm *other = NULL;
    _cleanup_command_ vqemu_command *command = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    const char *list = strncmp(id, "nic", 3) == 0 ? "disks" : "nics";
    size_t count;
    ck_assert_int_eq(vqemu_vm_copy(vm, &other, NULL), 0);
    ck_assert_int_eq(vqemu_vm_count(vm, list, &count, NULL), 0);
    _cleanup_free_ char *key = format_string("%s[%zu].id", list, count);
    ck_assert_int_eq(vqemu_vm_set_string(other, key, id, NULL), 0);
    int r = vqemu_command_build(runtime, other, NULL, 0, NULL, &command, &error);
    ck_assert_msg(
        r == VQEMU_ERR_INVALID && strcmp(vqemu_error_detail(error, VQEMU_DETAIL_KEY), key) == 0,
        "%s: %s is free for a %s: %s", case_names[index], id, list, vqemu_error_message(error));
}

/* What a VM's keys add later is what stands in some case. */
START_TEST(no_id_of_a_device_is_free_for_another) {
    static const char *const carriers[] = {"id", "bus"};
    _cleanup_free_ char *path = case_path(_i, "vm.json");
    _cleanup_runtime_ vqemu_runtime *runtime = make_case_runtime(_i);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_command_ vqemu_command *command = NULL;
    ck_assert_int_eq(vqemu_vm_from_file(path, 0, &vm, NULL), 0);
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, NULL), 0);
    for (size_t i = 0; i < command->options.count; i++) {
        const struct option *option = &command->options.items[i];
        for (size_t j = 0; option->name == OPTION_DEVICE && j < sizeof carriers / sizeof *carriers;
             j++) {
            const struct setting *setting =
                option_find_text(&command->options, option, carriers[j]);
            if (setting)
                refuse_id(_i, runtime, vm, setting->text);
        }
    }
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
    tcase_add_loop_test(tests, command_and_units_are_as_written_down, 0, case_count);
    tcase_add_loop_test(tests, no_id_of_a_device_is_free_for_another, 0, case_count);
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
