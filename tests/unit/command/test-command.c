/* SPDX-License-Identifier: MIT */
#include "command/command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"
#include "choice/host.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "tree/runtime.h"
#include "util/strbuf.h"
#include "vm/vm.h"

static vqemu_runtime *make_runtime(const char *profile, const char *arch, const char *lib_dir,
                                   const char *module_dir, const char *loader) {
    _cleanup_selection_ vqemu_selection *selection = select_profile(profile, arch);
    vqemu_runtime *runtime = NULL;
    ck_assert_int_eq(vqemu_runtime_new(selection, "/t/bin/qemu", "/t/firmware", lib_dir, module_dir,
                                       loader, &runtime, NULL),
                     0);
    return runtime;
}

static vqemu_command *make_command(const char *arch, const vqemu_vm *vm) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(
        strcmp(arch, "x86_64") == 0 ? "emulate-x86" : "emulate-foreign", arch, NULL, NULL, NULL);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = NULL;
    int r = vqemu_command_build(runtime, vm, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return command;
}

static vqemu_vm *make_vm(const char *name) {
    vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_new(name, &vm, NULL), 0);
    return vm;
}

static void build_fails_with(const char *arch, const vqemu_vm *vm, int code, const char *message) {
    _cleanup_runtime_ vqemu_runtime *runtime =
        make_runtime("emulate-foreign", arch, NULL, NULL, NULL);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = (vqemu_command *)&error;
    ck_assert_int_eq(vqemu_command_build(runtime, vm, &command, &error), code);
    ck_assert_ptr_null(command);
    ck_assert_str_eq(vqemu_error_message(error), message);
}

/* The argument behind an option; NULL if the option is not there. */
static const char *value_of(const vqemu_command *command, const char *option) {
    char *const *argv = vqemu_command_argv(command);
    for (size_t i = 0; argv[i]; i++)
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    return NULL;
}

START_TEST(what_the_machine_cannot_have_is_refused) {
    _cleanup_vm_ vqemu_vm *vm = make_vm("x");
    ck_assert_int_eq(vqemu_vm_set_memory(vm, 512, NULL), 0);
    build_fails_with(
        "loongarch64", vm, VQEMU_ERR_UNSUPPORTED,
        "memory: 512 MiB are too little: the machine of loongarch64 guests needs 1024");
    ck_assert_int_eq(vqemu_vm_set_memory(vm, 2049, NULL), 0);
    build_fails_with("mips", vm, VQEMU_ERR_UNSUPPORTED,
                     "memory: 2049 MiB are too much: the machine of mips guests can have 2048");
    ck_assert_int_eq(vqemu_vm_set_memory(vm, 0, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_cpus(vm, 2, NULL), 0);
    build_fails_with("ppc", vm, VQEMU_ERR_UNSUPPORTED,
                     "cpus: 2 CPUs are too many: the machine of ppc guests can have 1");
}
END_TEST

START_TEST(what_needs_a_kernel_is_refused_without) {
    _cleanup_vm_ vqemu_vm *a = make_vm("a"), *b = make_vm("b");
    ck_assert_int_eq(vqemu_vm_set_initrd(a, "/i", NULL), 0);
    build_fails_with("arm", a, VQEMU_ERR_INVALID, "initrd: it needs a kernel");
    ck_assert_int_eq(vqemu_vm_set_append(b, "", NULL), 0);
    build_fails_with("arm", b, VQEMU_ERR_INVALID, "append: a kernel command line needs a kernel");
}
END_TEST

START_TEST(the_kernel_command_line_follows_the_vm) {
    static const char *const root =
        "root=rootfs rootfstype=9p rootflags=trans=virtio,version=9p2000.L console=ttyS0 panic=1";
    static const struct {
        const char *rootfs, *initrd, *append, *expected;
    } cases[] = {
        {"/r", NULL, NULL, NULL},
        {"/r", "/i", NULL, NULL},
        {NULL, NULL, NULL, "console=ttyS0 panic=1"},
        {NULL, "/i", NULL, "console=ttyS0 panic=1"},
        {"/r", "/i", "", ""},
        {"/r", NULL, "my, own=%", "my, own=%"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm("x");
        ck_assert_int_eq(vqemu_vm_set_kernel(vm, "/k", NULL), 0);
        ck_assert_int_eq(vqemu_vm_set_rootfs(vm, cases[i].rootfs, NULL), 0);
        ck_assert_int_eq(vqemu_vm_set_initrd(vm, cases[i].initrd, NULL), 0);
        ck_assert_int_eq(vqemu_vm_set_append(vm, cases[i].append, NULL), 0);
        _cleanup_command_ vqemu_command *command = make_command("x86_64", vm);
        ck_assert_str_eq(value_of(command, "-append"),
                         cases[i].expected ? cases[i].expected : root);
        ck_assert((value_of(command, "-fsdev") != NULL) == (cases[i].rootfs != NULL));
    }
}
END_TEST

/* The argument of -device that has an id. */
static const char *device_of(const vqemu_command *command, const char *id) {
    char *const *argv = vqemu_command_argv(command);
    for (size_t i = 0; argv[i]; i++)
        if (strcmp(argv[i], "-device") == 0 && strstr(argv[i + 1], id))
            return argv[i + 1];
    return NULL;
}

START_TEST(a_network_device_stays_in_its_slot) {
    _cleanup_vm_ vqemu_vm *small = make_vm("x"), *large = make_vm("x");
    ck_assert_int_eq(vqemu_vm_add_nic(small, NULL, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_vm_add_nic(large, NULL, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_display(large, "vnc", NULL), 0);
    for (int i = 0; i < 12; i++) { /* more than have slots of their own */
        _cleanup_free_ char *path = format_string("/d%d", i);
        ck_assert_int_eq(vqemu_vm_add_disk(large, path, NULL, NULL), 0);
    }
    vqemu_vm_set_rng(large, true);
    _cleanup_command_ vqemu_command *few = make_command("x86_64", small);
    _cleanup_command_ vqemu_command *many = make_command("x86_64", large);
    ck_assert_str_eq(device_of(few, "id=nic0"), device_of(many, "id=nic0"));
    ck_assert_ptr_nonnull(strstr(device_of(many, "id=nic0"), ",addr=0x10"));
    ck_assert_ptr_nonnull(strstr(device_of(many, "id=rng-device"), ",addr=0x6"));
    ck_assert_ptr_nonnull(strstr(device_of(many, "id=drive0"), ",addr=0x18"));
    ck_assert_ptr_nonnull(strstr(device_of(many, "id=drive11"), ",addr=0x1"));
}
END_TEST

START_TEST(without_a_kernel_nothing_is_said_of_one) {
    _cleanup_vm_ vqemu_vm *vm = make_vm("x");
    _cleanup_command_ vqemu_command *command = make_command("x86_64", vm);
    ck_assert_ptr_null(value_of(command, "-kernel"));
    ck_assert_ptr_null(value_of(command, "-append"));
}
END_TEST

START_TEST(libraries_and_modules_are_reached_in_every_way) {
    static const struct {
        const char *lib_dir, *module_dir, *loader, *path, *cwd, *library_path, *env[3];
    } cases[] = {
        {NULL, NULL, NULL, "/t/bin/qemu", "/", NULL, {NULL}},
        {"/t/lib", NULL, NULL, "/t/bin/qemu", "/", NULL, {"LD_LIBRARY_PATH=/t/lib"}},
        {"/t/lib",
         "/t/lib/qemu",
         "/t/lib/ld.so",
         "/t/lib/ld.so",
         "/",
         "/t/lib",
         {"QEMU_MODULE_DIR=/t/lib/qemu"}},
        {"/a:b/lib",
         "/a:b/lib/qemu",
         "/a:b/lib/ld.so",
         "/a:b/lib/ld.so",
         "/a:b",
         "lib",
         {"QEMU_MODULE_DIR=lib/qemu"}},
        {"/$LIB/lib",
         "/elsewhere",
         NULL,
         "/t/bin/qemu",
         "/$LIB",
         NULL,
         {"LD_LIBRARY_PATH=lib", "QEMU_MODULE_DIR=/elsewhere"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm("x");
        _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(
            "emulate-x86", "x86_64", cases[i].lib_dir, cases[i].module_dir, cases[i].loader);
        _cleanup_command_ vqemu_command *command = NULL;
        ck_assert_int_eq(vqemu_command_build(runtime, vm, &command, NULL), 0);
        ck_assert_str_eq(vqemu_command_path(command), cases[i].path);
        ck_assert_str_eq(vqemu_command_argv(command)[0], cases[i].path);
        ck_assert_str_eq(vqemu_command_cwd(command), cases[i].cwd);
        ck_assert_pstr_eq(value_of(command, "--library-path"), cases[i].library_path);
        size_t j = 0;
        for (; cases[i].env[j]; j++)
            ck_assert_str_eq(vqemu_command_envp(command)[j], cases[i].env[j]);
        ck_assert_ptr_null(vqemu_command_envp(command)[j]);
    }
}
END_TEST

START_TEST(paths_of_a_runtime_are_absolute) {
    static const char *const paths[][5] = {
        {"b", "/f", NULL, NULL, NULL},  {NULL, "/f", NULL, NULL, NULL},
        {"/b", "f", NULL, NULL, NULL},  {"/b", "/f", "l", NULL, NULL},
        {"/b", "/f", "/l", "m", NULL},  {"/b", "/f", "/l", NULL, "x"},
        {"/b", "/f", NULL, NULL, "/x"},
    };
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        vqemu_runtime *runtime = NULL;
        ck_assert_int_eq(vqemu_runtime_new(selection, paths[i][0], paths[i][1], paths[i][2],
                                           paths[i][3], paths[i][4], &runtime, NULL),
                         VQEMU_ERR_INVALID);
        ck_assert_ptr_null(runtime);
    }
}
END_TEST

/* As include/volt-qemu/command.h describes it. */
static void add_hashed(struct strbuf *text, char *const *strings) {
    size_t count = 0;
    while (strings[count])
        count++;
    strbuf_addf(text, "%zu", count);
    strbuf_add_char(text, '\0');
    for (size_t i = 0; i < count; i++)
        strbuf_add_bytes(text, strings[i], strlen(strings[i]) + 1);
}

START_TEST(the_fingerprint_is_what_it_says) {
    _cleanup_vm_ vqemu_vm *vm = make_vm("x"), *other = make_vm("y");
    _cleanup_command_ vqemu_command *command = make_command("x86_64", vm),
                                    *same = make_command("x86_64", vm),
                                    *another = make_command("x86_64", other);
    _cleanup_strbuf_ struct strbuf text = {0};
    add_hashed(&text, vqemu_command_argv(command));
    add_hashed(&text, vqemu_command_envp(command));
    strbuf_add_char(&text, '\0'); /* the digest of a runtime by hand is "" */
    struct digest digest = digest_of_bytes(text.text, text.length);
    ck_assert_str_eq(vqemu_command_fingerprint(command), digest.hex);
    ck_assert_str_eq(vqemu_command_fingerprint(same), digest.hex);
    ck_assert_str_ne(vqemu_command_fingerprint(another), digest.hex);
}
END_TEST

START_TEST(json_gives_the_command_back) {
    _cleanup_vm_ vqemu_vm *vm = make_vm("\xc3\xa4 \"quoted\" \n\x01"), *bad = make_vm("\xff");
    _cleanup_command_ vqemu_command *command = make_command("x86_64", vm),
                                    *no_json = make_command("x86_64", bad);
    _cleanup_free_ char *text = NULL;
    char *none = (char *)vm;
    ck_assert_int_eq(vqemu_command_to_json(command, &text, NULL), 0);
    json_t *root = json_loads(text, 0, NULL);
    const json_t *argv = json_object_get(root, "argv");
    for (size_t i = 0; vqemu_command_argv(command)[i]; i++)
        ck_assert_str_eq(json_string_value(json_array_get(argv, i)),
                         vqemu_command_argv(command)[i]);
    ck_assert_str_eq(json_string_value(json_object_get(root, "cwd")), "/");
    ck_assert_str_eq(json_string_value(json_object_get(root, "fingerprint")),
                     vqemu_command_fingerprint(command));
    json_decref(root);
    ck_assert_int_eq(vqemu_command_to_json(no_json, &none, NULL), VQEMU_ERR_UNSUPPORTED);
    ck_assert_ptr_null(none);
}
END_TEST

/* A program at a path of its own, that prints its arguments, each followed by a NUL. */
static vqemu_command *make_printer(const char *path, char *const *extra) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_free_ char *binary = scratch_path(path);
    _cleanup_runtime_ vqemu_runtime *runtime = NULL;
    _cleanup_vm_ vqemu_vm *vm = make_vm("x");
    vqemu_command *command = NULL;
    write_file(path, "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\"\n", 0755);
    ck_assert_int_eq(vqemu_runtime_new(selection, binary, "/f", NULL, NULL, NULL, &runtime, NULL),
                     0);
    for (; *extra; extra++)
        ck_assert_int_eq(vqemu_vm_add_extra_arg(vm, *extra, NULL), 0);
    ck_assert_int_eq(vqemu_command_build(runtime, vm, &command, NULL), 0);
    return command;
}

START_TEST(a_shell_runs_the_text_byte_for_byte) {
    static const char *const paths[] = {"plain", "a=b", "a b'c\"d$e\\f;g", "new\nline\xff"};
    char every_byte[255 + 1], *extra[] = {every_byte, every_byte + 100, every_byte + 255, NULL};
    for (int i = 0; i < 255; i++)
        every_byte[i] = (char)(i + 1);
    every_byte[255] = '\0';
    _cleanup_command_ vqemu_command *command = make_printer(paths[_i], extra);
    _cleanup_free_ char *text = NULL, *script = scratch_path("script");
    ck_assert_int_eq(vqemu_command_to_shell(command, &text, NULL), 0);
    write_file("script", text, 0644);
    _cleanup_free_ char *call = format_string("sh %s", script);
    FILE *output = popen(call, "r");
    char *const *argv = vqemu_command_argv(command);
    for (size_t i = 0; argv[i]; i++)
        for (size_t j = 0; j <= strlen(argv[i]); j++)
            ck_assert_int_eq(fgetc(output), (unsigned char)argv[i][j]);
    ck_assert_int_eq(fgetc(output), EOF);
    ck_assert_int_eq(pclose(output), 0);
}
END_TEST

START_TEST(a_command_outlives_what_it_was_made_of) {
    vqemu_vm *vm = make_vm("x");
    vqemu_runtime *runtime = make_runtime("emulate-x86", "x86_64", NULL, NULL, NULL);
    vqemu_command *command = NULL;
    ck_assert_int_eq(vqemu_command_build(runtime, vm, &command, NULL), 0);
    vqemu_vm_free(vm);
    vqemu_runtime_unref(runtime);
    ck_assert_ptr_eq(vqemu_command_ref(command), command);
    vqemu_command_unref(command);
    ck_assert_str_eq(value_of(command, "-L"), "/t/firmware");
    ck_assert_int_eq(vqemu_runtime_lease_fd(vqemu_command_runtime(command)), -1);
    vqemu_command_unref(command);
    vqemu_command_unref(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("command");
    TCase *tests = tcase_create("command");
    tcase_add_checked_fixture(tests, make_scratch, remove_scratch);
    tcase_add_test(tests, what_the_machine_cannot_have_is_refused);
    tcase_add_test(tests, what_needs_a_kernel_is_refused_without);
    tcase_add_test(tests, the_kernel_command_line_follows_the_vm);
    tcase_add_test(tests, a_network_device_stays_in_its_slot);
    tcase_add_test(tests, without_a_kernel_nothing_is_said_of_one);
    tcase_add_test(tests, libraries_and_modules_are_reached_in_every_way);
    tcase_add_test(tests, paths_of_a_runtime_are_absolute);
    tcase_add_test(tests, the_fingerprint_is_what_it_says);
    tcase_add_test(tests, json_gives_the_command_back);
    tcase_add_loop_test(tests, a_shell_runs_the_text_byte_for_byte, 0, 4);
    tcase_add_test(tests, a_command_outlives_what_it_was_made_of);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
