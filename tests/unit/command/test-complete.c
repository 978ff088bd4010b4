/* SPDX-License-Identifier: MIT */
/* The defaults of a VM, written into it: the guest sees the same as before. */
#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "base/json.h"
#include "command/command.h"
#include "guest-case.h"
#include "qemu/capabilities.h"
#include "run.h"
#include "vm/vm.h"

static vqemu_command *make_command(vqemu_runtime *runtime, const vqemu_vm *vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = NULL;
    int r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return command;
}

static void complete(vqemu_vm *vm, vqemu_runtime *runtime, const vqemu_capabilities *capabilities) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_vm_complete(vm, runtime, capabilities, 0, NULL, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

static char *text_of(const vqemu_vm *vm) {
    char *text = NULL;
    ck_assert_int_eq(vqemu_vm_to_json(vm, 0, &text, NULL), 0);
    return text;
}

static vqemu_vm *vm_of(const char *json) {
    vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(json, strlen(json), NULL, 0, &vm, NULL), 0);
    return vm;
}

static void check_same_hardware(const vqemu_command *a, const vqemu_command *b) {
    _cleanup_free_ char *changes = NULL;
    ck_assert_int_eq(vqemu_command_diff(a, b, 0, &changes, NULL), 0);
    ck_assert_msg(strcmp(vqemu_command_digest(a, VQEMU_DIGEST_HARDWARE),
                         vqemu_command_digest(b, VQEMU_DIGEST_HARDWARE)) == 0,
                  "%s", changes);
}

/* ---- every golden command ---- */

START_TEST(a_completed_vm_has_the_same_command) {
    _cleanup_free_ char *path = case_path(_i, "vm.json");
    _cleanup_runtime_ vqemu_runtime *runtime = make_case_runtime(_i);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_file(path, 0, &vm, NULL), 0);
    _cleanup_command_ vqemu_command *before = make_command(runtime, vm);
    complete(vm, runtime, NULL);
    _cleanup_command_ vqemu_command *after = make_command(runtime, vm);
    check_same_hardware(before, after);
    _cleanup_free_ char *changes = NULL, *text = text_of(vm);
    ck_assert_int_eq(vqemu_command_diff(before, after, 0, &changes, NULL), 0);
    ck_assert_msg(strstr(changes, "\"same_command\": true"), "%s", changes);
    complete(vm, runtime, NULL);
    _cleanup_free_ char *again = text_of(vm);
    ck_assert_str_eq(again, text);
}
END_TEST

/* ---- revisions of a profile, and their QEMU ---- */

static vqemu_runtime *runtime_below(const char *tree) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_free_ char *binary = format_string("%s/bin/qemu", tree);
    _cleanup_free_ char *firmware = format_string("%s/firmware", tree);
    return runtime_at(selection, runtime_paths(binary, firmware, NULL, NULL, NULL));
}

static vqemu_capabilities *capabilities_of(const char *alias_of) {
    vqemu_capabilities *capabilities = NULL;
    char *text = format_string("volt-capabilities 5\nmachine %s -\nmachine q35 -\talias-of=%s\t\n",
                               alias_of, alias_of);
    ck_assert_int_eq(capabilities_of_text(text, "text", &capabilities, NULL), 0);
    return capabilities;
}

#define VM                                                                                         \
    "{\"name\": \"x\", \"firmware\": \"bios\", \"nics\": [{}], \"disks\": [{\"file\": \"/d\"}]}"

START_TEST(revisions_of_a_profile_have_the_same_hardware) {
    _cleanup_runtime_ vqemu_runtime *old = runtime_below("/t"), *new = runtime_below("/u");
    _cleanup_capabilities_ vqemu_capabilities *old_qemu = capabilities_of("pc-q35-9.2"),
                                              *new_qemu = capabilities_of("pc-q35-10.0");
    _cleanup_vm_ vqemu_vm *vm = vm_of(VM);
    complete(vm, old, old_qemu);
    _cleanup_free_ char *first = text_of(vm);
    ck_assert_ptr_nonnull(strstr(first, "\"machine\": \"pc-q35-9.2\""));
    ck_assert_ptr_nonnull(strstr(first, "\"console\": \"stdio\"")); /* the guest's serial port */
    ck_assert_ptr_nonnull(strstr(first, "\"display\": \"none\""));
    _cleanup_command_ vqemu_command *before = make_command(old, vm), *after = make_command(new, vm);
    check_same_hardware(before, after);
    ck_assert_str_ne(vqemu_command_digest(before, VQEMU_DIGEST_COMMAND),
                     vqemu_command_digest(after, VQEMU_DIGEST_COMMAND));
    complete(vm, new, new_qemu);
    _cleanup_free_ char *second = text_of(vm);
    ck_assert_str_eq(second, first);
}
END_TEST

/* The machine that the VM names by an alias has a version, too; one that is none stays. */
START_TEST(an_alias_gets_its_version) {
    _cleanup_runtime_ vqemu_runtime *runtime = runtime_below("/t");
    _cleanup_capabilities_ vqemu_capabilities *qemu = capabilities_of("pc-q35-9.2");
    _cleanup_vm_ vqemu_vm *named = vm_of(VM), *pinned = vm_of(VM);
    ck_assert_int_eq(vqemu_vm_set_string(named, VQEMU_KEY_MACHINE, "q35", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(pinned, VQEMU_KEY_MACHINE, "pc-q35-7.2", NULL), 0);
    complete(named, runtime, qemu);
    complete(pinned, runtime, qemu);
    _cleanup_free_ char *first = text_of(named), *second = text_of(pinned);
    ck_assert_ptr_nonnull(strstr(first, "\"machine\": \"pc-q35-9.2\""));
    ck_assert_ptr_nonnull(strstr(second, "\"machine\": \"pc-q35-7.2\""));
}
END_TEST

/* ---- what is refused ---- */

START_TEST(what_cannot_be_built_is_not_changed) {
    _cleanup_runtime_ vqemu_runtime *runtime = runtime_below("/t");
    _cleanup_vm_ vqemu_vm *vm = vm_of("{\"name\": \"x\"}");
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *before = text_of(vm);
    ck_assert_int_eq(vqemu_vm_complete(vm, runtime, NULL, 0, NULL, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "nothing-to-boot");
    _cleanup_free_ char *after = text_of(vm);
    ck_assert_str_eq(after, before);
}
END_TEST

START_TEST(wrong_calls_are_refused) {
    _cleanup_runtime_ vqemu_runtime *runtime = runtime_below("/t");
    _cleanup_vm_ vqemu_vm *vm = vm_of(VM);
    ck_assert_int_eq(vqemu_vm_complete(NULL, runtime, NULL, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_vm_complete(vm, NULL, NULL, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_vm_complete(vm, runtime, NULL, 1, NULL, NULL), VQEMU_ERR_USAGE);
}
END_TEST

int main(void) {
    find_cases("commands");
    Suite *suite = suite_create("complete");
    TCase *tests = tcase_create("complete");
    tcase_add_loop_test(tests, a_completed_vm_has_the_same_command, 0, case_count);
    tcase_add_test(tests, revisions_of_a_profile_have_the_same_hardware);
    tcase_add_test(tests, an_alias_gets_its_version);
    tcase_add_test(tests, what_cannot_be_built_is_not_changed);
    tcase_add_test(tests, wrong_calls_are_refused);
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
