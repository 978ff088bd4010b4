/* SPDX-License-Identifier: MIT */
/* What a command is built with besides the VM. */
#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "command/command.h"
#include "tree/runtime.h"
#include "choice/selection.h"
#include "vm/vm.h"

static vqemu_command_options *options;
static vqemu_runtime *runtime;
static vqemu_vm *vm;

static void make_all(void) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    runtime = runtime_at(selection, runtime_paths("/t/qemu", "/t/firmware", NULL, NULL, NULL));
    ck_assert_int_eq(vqemu_command_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_vm_new("web", &vm, NULL), 0);
    run_firmware_alone(vm);
}

static void free_all(void) {
    vqemu_command_options_free(options);
    vqemu_runtime_unref(runtime);
    vqemu_vm_free(vm);
}

static vqemu_command *build_with(const vqemu_command_options *with) {
    vqemu_command *command = NULL;
    ck_assert_int_eq(vqemu_command_build(runtime, vm, with, 0, NULL, &command, NULL), 0);
    return command;
}

START_TEST(directories_are_below_the_bases) {
    _cleanup_command_ vqemu_command *plain = build_with(NULL);
    ck_assert_str_eq(vqemu_command_state_dir(plain), "/var/lib/volt/vms/web");
    ck_assert_str_eq(vqemu_command_runtime_dir(plain), "/run/volt/web");
    ck_assert_int_eq(vqemu_command_options_set_string(options, "state_base", "/s", NULL), 0);
    ck_assert_int_eq(vqemu_command_options_set_string(options, "runtime_base", "/r", NULL), 0);
    _cleanup_command_ vqemu_command *based = build_with(options);
    ck_assert_str_eq(vqemu_command_state_dir(based), "/s/web");
    ck_assert_str_eq(vqemu_command_runtime_dir(based), "/r/web");
    ck_assert_int_eq(vqemu_vm_set_string(vm, "state_dir", "/own", NULL), 0);
    ck_assert_int_eq(vqemu_command_options_set_string(options, "runtime_base", NULL, NULL), 0);
    _cleanup_command_ vqemu_command *own = build_with(options);
    ck_assert_str_eq(vqemu_command_state_dir(own), "/own");
    ck_assert_str_eq(vqemu_command_runtime_dir(own), "/run/volt/web");
}
END_TEST

START_TEST(bad_settings_are_refused) {
    const struct {
        const char *key, *value, *reason;
        int code;
    } settings[] = {
        {"state_base", "vms", "relative-path", VQEMU_ERR_INVALID},
        {"runtime_base", "/", "invalid", VQEMU_ERR_INVALID},
        {"runtime_base", "/run/", "invalid", VQEMU_ERR_INVALID},
        {"state_base", "", "invalid", VQEMU_ERR_INVALID},
        {"state_base", "/a/../b", "invalid", VQEMU_ERR_INVALID},
        {"runtime_base", "/a/..", "invalid", VQEMU_ERR_INVALID},
        {"base", "/x", "unknown-key", VQEMU_ERR_UNKNOWN_KEY},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        ck_assert_int_eq(
            vqemu_command_options_set_string(options, settings[i].key, settings[i].value, &error),
            settings[i].code);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), settings[i].key);
        ck_assert_str_eq(vqemu_error_reason(error), settings[i].reason);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("command-options");
    TCase *tests = tcase_create("command-options");
    tcase_add_checked_fixture(tests, make_all, free_all);
    tcase_add_test(tests, directories_are_below_the_bases);
    tcase_add_test(tests, bad_settings_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
