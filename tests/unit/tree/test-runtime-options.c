/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "tree/runtime.h"

START_TEST(a_runtime_is_at_the_paths_that_were_set) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("kvm-uefi", "i386");
    _cleanup_runtime_options_ vqemu_runtime_options *options =
        runtime_paths("/b/qemu", "/f", "/l", "/m", "/l/ld.so");
    _cleanup_runtime_ vqemu_runtime *runtime = NULL, *bare = NULL;
    ck_assert_int_eq(vqemu_runtime_new(selection, options, 0, &runtime, NULL), 0);
    ck_assert_int_eq(vqemu_runtime_options_set_string(options, "loader", NULL, NULL), 0);
    ck_assert_int_eq(vqemu_runtime_options_set_string(options, "lib_dir", NULL, NULL), 0);
    ck_assert_int_eq(vqemu_runtime_options_set_string(options, "module_dir", NULL, NULL), 0);
    ck_assert_int_eq(vqemu_runtime_options_set_string(options, "binary", "/other", NULL), 0);
    ck_assert_int_eq(vqemu_runtime_new(selection, options, 0, &bare, NULL), 0);
    ck_assert_str_eq(vqemu_profile_name(vqemu_runtime_profile(runtime)), "kvm-uefi");
    ck_assert_str_eq(vqemu_runtime_guest_arch(runtime), "i386");
    ck_assert_str_eq(vqemu_runtime_binary(runtime), "/b/qemu");
    ck_assert_str_eq(vqemu_runtime_firmware_dir(runtime), "/f");
    ck_assert_str_eq(vqemu_runtime_lib_dir(runtime), "/l");
    ck_assert_str_eq(vqemu_runtime_module_dir(runtime), "/m");
    ck_assert_str_eq(vqemu_runtime_loader(runtime), "/l/ld.so");
    ck_assert_str_eq(vqemu_runtime_binary(bare), "/other");
    ck_assert_ptr_null(vqemu_runtime_lib_dir(bare));
    ck_assert_ptr_null(vqemu_runtime_module_dir(bare));
    ck_assert_ptr_null(vqemu_runtime_loader(bare));
    ck_assert_ptr_null(vqemu_runtime_tree(bare));
    ck_assert_int_eq(vqemu_runtime_lease_fd(bare), -1);
}
END_TEST

START_TEST(paths_are_absolute) {
    static const char *const keys[] = {VQEMU_RUNTIME_BINARY, VQEMU_RUNTIME_FIRMWARE_DIR,
                                       VQEMU_RUNTIME_LIB_DIR, VQEMU_RUNTIME_MODULE_DIR,
                                       VQEMU_RUNTIME_LOADER};
    _cleanup_runtime_options_ vqemu_runtime_options *options = NULL;
    ck_assert_int_eq(vqemu_runtime_options_new(&options, NULL), 0);
    for (size_t i = 0; i < 10; i++) {
        const char *key = keys[i / 2], *path = i % 2 ? "a/b" : "";
        _cleanup_error_ vqemu_error *error = NULL;
        ck_assert_int_eq(vqemu_runtime_options_set_string(options, key, path, &error),
                         VQEMU_ERR_INVALID);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), key);
        ck_assert_str_eq(vqemu_error_detail(error, "value"), path);
        ck_assert_str_eq(vqemu_error_reason(error), "relative-path");
        ck_assert(strncmp(vqemu_error_message(error), key, strlen(key)) == 0);
    }
}
END_TEST

START_TEST(what_is_needed_must_be_there) {
    static const struct {
        const char *paths[5], *key;
    } cases[] = {
        {{NULL, "/f", NULL, NULL, NULL}, "binary"},
        {{"/b", NULL, NULL, NULL, NULL}, "firmware_dir"},
        {{"/b", "/f", NULL, "/m", "/x"}, "lib_dir"},
    };
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const *paths = cases[i].paths;
        _cleanup_runtime_options_ vqemu_runtime_options *options =
            runtime_paths(paths[0], paths[1], paths[2], paths[3], paths[4]);
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_runtime *runtime = (vqemu_runtime *)&error;
        ck_assert_int_eq(vqemu_runtime_new(selection, options, 0, &runtime, &error),
                         VQEMU_ERR_INVALID);
        ck_assert_ptr_null(runtime);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), cases[i].key);
        ck_assert_str_eq(vqemu_error_reason(error), "missing-value");
    }
}
END_TEST

static void check_usage(int code, vqemu_error **error, const char *argument) {
    ck_assert_int_eq(code, VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_detail(*error, "argument"), argument);
}

START_TEST(mistakes_of_callers_are_named) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_runtime_options_ vqemu_runtime_options *options =
        runtime_paths("/b", "/f", NULL, NULL, NULL);
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_runtime_ vqemu_runtime *runtime = NULL;
    check_usage(vqemu_runtime_options_new(NULL, &error), &error, "options");
    check_usage(vqemu_runtime_options_set_string(NULL, "binary", "/b", &error), &error, "options");
    check_usage(vqemu_runtime_options_set_string(options, NULL, "/b", &error), &error, "key");
    check_usage(vqemu_runtime_new(NULL, options, 0, &runtime, &error), &error, "selection");
    check_usage(vqemu_runtime_new(selection, NULL, 0, &runtime, &error), &error, "options");
    check_usage(vqemu_runtime_new(selection, options, 0, NULL, &error), &error, "runtime");
    ck_assert_int_eq(vqemu_runtime_options_set_string(options, "program", "x", &error),
                     VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_str_eq(vqemu_error_detail(error, "choices"),
                     "binary, firmware_dir, lib_dir, module_dir, loader");
    ck_assert_int_eq(vqemu_runtime_new(selection, options, 0, &runtime, &error), 0);
    ck_assert_ptr_null(error);
    ck_assert_ptr_null(vqemu_runtime_profile(NULL));
    vqemu_runtime_options_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime-options");
    TCase *tests = tcase_create("runtime-options");
    tcase_add_test(tests, a_runtime_is_at_the_paths_that_were_set);
    tcase_add_test(tests, paths_are_absolute);
    tcase_add_test(tests, what_is_needed_must_be_there);
    tcase_add_test(tests, mistakes_of_callers_are_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
