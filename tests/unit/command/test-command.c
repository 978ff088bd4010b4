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
#include "util/utf8.h"
#include "vm/vm.h"

static vqemu_runtime *make_runtime(const char *profile, const char *arch, const char *lib_dir,
                                   const char *module_dir, const char *loader) {
    _cleanup_selection_ vqemu_selection *selection = select_profile(profile, arch);
    return runtime_at(selection,
                      runtime_paths("/t/bin/qemu", "/t/firmware", lib_dir, module_dir, loader));
}

static vqemu_command *make_command(const char *arch, const vqemu_vm *vm) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(
        strcmp(arch, "x86_64") == 0 ? "emulate-x86" : "emulate-foreign", arch, NULL, NULL, NULL);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = NULL;
    int r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return command;
}

static vqemu_vm *make_vm(const char *name) {
    vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_new(name, &vm, NULL), 0);
    run_firmware_alone(vm);
    return vm;
}

static void build_fails_with(const char *arch, const vqemu_vm *vm, int code, const char *message) {
    _cleanup_runtime_ vqemu_runtime *runtime =
        make_runtime("emulate-foreign", arch, NULL, NULL, NULL);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = (vqemu_command *)&error;
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error), code);
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
    ck_assert_int_eq(vqemu_vm_set_number(vm, "memory", 512, NULL), 0);
    build_fails_with(
        "loongarch64", vm, VQEMU_ERR_UNSUPPORTED,
        "memory: 512 MiB are too little: the machine of loongarch64 guests needs 1024");
    ck_assert_int_eq(vqemu_vm_set_number(vm, "memory", 2049, NULL), 0);
    build_fails_with(
        "mips", vm, VQEMU_ERR_UNSUPPORTED,
        "memory: 2049 MiB are too much: the machine malta of mips guests can have 2048");
    ck_assert_int_eq(vqemu_vm_set_number(vm, "memory", 0, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_number(vm, "cpus", 2, NULL), 0);
    build_fails_with("ppc", vm, VQEMU_ERR_UNSUPPORTED,
                     "cpus: 2 CPUs are too many: the machine of ppc guests can have 1");
}
END_TEST

START_TEST(what_needs_a_kernel_is_refused_without) {
    _cleanup_vm_ vqemu_vm *a = make_vm("a"), *b = make_vm("b");
    ck_assert_int_eq(vqemu_vm_set_string(a, "initrd", "/i", NULL), 0);
    build_fails_with("arm", a, VQEMU_ERR_INVALID, "initrd: it needs a kernel");
    ck_assert_int_eq(vqemu_vm_set_string(b, "append", "", NULL), 0);
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
        ck_assert_int_eq(vqemu_vm_set_string(vm, "kernel", "/k", NULL), 0);
        ck_assert_int_eq(vqemu_vm_set_string(vm, "rootfs", cases[i].rootfs, NULL), 0);
        ck_assert_int_eq(vqemu_vm_set_string(vm, "initrd", cases[i].initrd, NULL), 0);
        ck_assert_int_eq(vqemu_vm_set_string(vm, "append", cases[i].append, NULL), 0);
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
    ck_assert_int_eq(vqemu_vm_set_string(small, "nics[0].backend", "user", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(large, "nics[0].backend", "user", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(large, "display", "vnc", NULL), 0);
    for (size_t i = 0; i < 12; i++) { /* more than have slots of their own */
        _cleanup_free_ char *path = format_string("/d%zu", i);
        _cleanup_free_ char *key = format_string(VQEMU_KEY_DISKS_FILE(VQEMU_KEYS_ANY), i);
        ck_assert_int_eq(vqemu_vm_set_string(large, key, path, NULL), 0);
    }
    ck_assert_int_eq(vqemu_vm_set_switch(large, "rng", VQEMU_SWITCH_ON, NULL), 0);
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
        ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, NULL), 0);
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
    ck_assert_str_eq(vqemu_command_digest(command, VQEMU_DIGEST_COMMAND), digest.hex);
    ck_assert_str_eq(vqemu_command_digest(same, VQEMU_DIGEST_COMMAND), digest.hex);
    ck_assert_str_ne(vqemu_command_digest(another, VQEMU_DIGEST_COMMAND), digest.hex);
}
END_TEST

/* ---- what belongs to a command ---- */

static vqemu_vm *read_vm(const char *json) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_vm *vm = NULL;
    int r = vqemu_vm_from_json(json, strlen(json), "vm", 0, &vm, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    run_firmware_alone(vm);
    return vm;
}

static vqemu_command *build_with(const char *json, uint32_t flags) {
    _cleanup_runtime_ vqemu_runtime *runtime =
        make_runtime("emulate-x86", "x86_64", NULL, NULL, NULL);
    _cleanup_vm_ vqemu_vm *vm = read_vm(json);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = NULL;
    int r = vqemu_command_build(runtime, vm, NULL, flags, NULL, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return command;
}

static uint32_t access_of(const vqemu_command *command, const char *path) {
    for (size_t i = 0; i < vqemu_command_file_count(command); i++)
        if (strcmp(vqemu_command_file_path(command, i), path) == 0)
            return vqemu_command_file_access(command, i);
    return 0;
}

START_TEST(a_command_tells_what_belongs_to_it) {
    _cleanup_command_ vqemu_command *command = build_with(
        "{\"name\": \"my web\", \"user\": \"vm\", \"tpm\": true, \"display\": \"vnc\","
        "\"console\": \"socket\", \"guest_agent_socket\": \"/a/agent\", \"kernel\": \"/k\","
        "\"console_log\": \"/log\", \"disks\": [{\"file\": \"/d\"}, {\"file\": \"/cd\","
        "\"cdrom\": true}, {\"file\": \"/dev/x\", \"read_only\": true}, {\"fd\": 7},"
        "{\"file\": \"/q\", \"format\": \"qcow2\", \"data_file\": \"/q.data\", \"backing\": ["
        "{\"file\": \"/layer\", \"format\": \"qcow2\", \"data_file\": \"/layer.data\"},"
        "{\"file\": \"/dev/base\"}]}],"
        "\"shares\": [{\"path\": \"/s\", \"tag\": \"s\", \"driver\": \"virtiofs\"}]}",
        VQEMU_COMMAND_FOR_UNIT);
    static const struct {
        const char *name, *path;
    } sockets[] = {
        {"qmp", "/qmp.sock"},         {"stop", "/unit.sock"}, {"vnc", "/vnc.sock"},
        {"console", "/console.sock"}, {"agent", "/a/agent"},  {"tpm", "/tpm.sock"},
    };
    ck_assert_str_eq(vqemu_command_vm_name(command), "my web");
    ck_assert_str_eq(vqemu_command_user(command), "vm");
    ck_assert_ptr_nonnull(strstr(vqemu_command_state_dir(command), vqemu_command_vm_id(command)));
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++)
        ck_assert_ptr_nonnull(
            strstr(vqemu_command_socket(command, sockets[i].name), sockets[i].path));
    ck_assert_ptr_null(vqemu_command_socket(command, "other"));
    ck_assert_uint_eq(vqemu_command_socket_count(command), sizeof sockets / sizeof *sockets);
    for (size_t i = 0; i < vqemu_command_socket_count(command); i++)
        ck_assert_ptr_nonnull(vqemu_command_socket(command, vqemu_command_socket_name(command, i)));
    ck_assert_ptr_null(vqemu_command_socket_name(command, vqemu_command_socket_count(command)));
    ck_assert_uint_eq(access_of(command, "/k"), VQEMU_FILE_READ);
    ck_assert_uint_eq(access_of(command, "/cd"), VQEMU_FILE_READ);
    ck_assert_uint_eq(access_of(command, "/dev/x"), VQEMU_FILE_READ);
    ck_assert_uint_eq(access_of(command, "/layer"), VQEMU_FILE_READ);
    ck_assert_uint_eq(access_of(command, "/layer.data"), VQEMU_FILE_READ);
    ck_assert_uint_eq(access_of(command, "/dev/base"), VQEMU_FILE_READ);
    ck_assert_uint_eq(access_of(command, "/q.data"), VQEMU_FILE_READ | VQEMU_FILE_WRITE);
    ck_assert_uint_eq(access_of(command, "/s"), VQEMU_FILE_READ);
    ck_assert_uint_eq(access_of(command, "/d"), VQEMU_FILE_READ | VQEMU_FILE_WRITE);
    ck_assert_uint_eq(access_of(command, "/log"), VQEMU_FILE_READ | VQEMU_FILE_WRITE);
    ck_assert_uint_eq(vqemu_command_fd_count(command), 1);
    ck_assert_int_eq(vqemu_command_fd_at(command, 0), 7);
    ck_assert_str_eq(vqemu_command_fd_key(command, 0), "disks[3].fd");
}
END_TEST

/* Disks with so many layers each, all by name. */
static char *many_layers(size_t disks, size_t layers) {
    struct strbuf json = {0};
    strbuf_add(&json, "{\"name\": \"x\", \"disks\": [");
    for (size_t i = 0; i < disks; i++) {
        strbuf_addf(&json,
                    "%s{\"file\": \"/%zu\", \"id\": \"d%zu\", \"bus\": \"scsi\","
                    "\"format\": \"qcow2\", \"backing\": [",
                    i > 0 ? "," : "", i, i);
        for (size_t j = 0; j < layers; j++)
            strbuf_addf(&json, "%s{\"fd_name\": \"b%zu-%zu\", \"format\": \"qcow2\"}",
                        j > 0 ? "," : "", i, j);
        strbuf_add(&json, "]}");
    }
    strbuf_add(&json, "]}");
    return strbuf_take(&json);
}

/* In time for a test; each step that compares all with all is felt. */
START_TEST(as_much_as_there_can_be_is_no_trouble) {
    _cleanup_free_ char *most = many_layers(250, 4), *more = many_layers(7, 143);
    _cleanup_command_ vqemu_command *command = build_with(most, 0);
    ck_assert_uint_eq(vqemu_command_fd_count(command), 1000);
    _cleanup_runtime_ vqemu_runtime *runtime =
        make_runtime("emulate-x86", "x86_64", NULL, NULL, NULL);
    _cleanup_vm_ vqemu_vm *vm = read_vm(more);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *none = NULL;
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &none, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "too-many");
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "disks[6].backing");
}
END_TEST

static void words_are(char *const *words, const char *const *expected) {
    size_t i = 0;
    for (; expected[i]; i++)
        ck_assert_str_eq(words[i], expected[i]);
    ck_assert_ptr_null(words[i]);
}

START_TEST(companions_are_commands) {
    static const char *const virtiofsd[] = {
        "/usr/libexec/virtiofsd", "--fd=3", "--rlimit-nofile=0", "-o", "source=/s t", NULL};
    static const char *const swtpm[] = {"/opt/swtpm",      "socket",           "--tpm2",
                                        "--ctrl",          "type=unixio,fd=3", "--tpmstate",
                                        "dir=.,mode=0600", "--terminate",      NULL};
    _cleanup_command_ vqemu_command *command = build_with(
        "{\"name\": \"x\", \"tpm\": true, \"swtpm_program\": \"/opt/swtpm\", \"tpm_state\":"
        "\"/t\", \"rootfs\": \"/s t\", \"rootfs_driver\": \"virtiofs\"}",
        0);
    ck_assert_uint_eq(vqemu_command_companion_count(command), 2);
    ck_assert_str_eq(vqemu_command_companion_kind(command, 0), "virtiofsd");
    ck_assert_str_eq(vqemu_command_companion_kind(command, 1), "swtpm");
    words_are(vqemu_command_companion_argv(command, 0), virtiofsd);
    words_are(vqemu_command_companion_argv(command, 1), swtpm);
    ck_assert_str_eq(vqemu_command_companion_cwd(command, 0), "/");
    ck_assert_str_eq(vqemu_command_companion_cwd(command, 1), "/t");
    ck_assert_str_eq(vqemu_command_companion_socket(command, 0), "/run/volt/x/virtiofsd-0.sock");
    ck_assert_str_eq(vqemu_command_companion_socket(command, 1), "/run/volt/x/tpm.sock");
    ck_assert_ptr_null(vqemu_command_companion_kind(command, 2));
    ck_assert_ptr_null(vqemu_command_companion_argv(command, 2));
}
END_TEST

START_TEST(flags_add_options) {
    _cleanup_command_ vqemu_command *plain = build_with("{\"name\": \"x\"}", 0),
                                    *flagged = build_with("{\"name\": \"x\"}", 6);
    ck_assert_ptr_null(value_of(plain, "-incoming"));
    ck_assert_ptr_null(value_of(plain, "-S"));
    ck_assert_ptr_null(vqemu_command_socket(plain, "qmp"));
    ck_assert_str_eq(value_of(flagged, "-S"), "-incoming");
    ck_assert_str_eq(value_of(flagged, "-incoming"), "defer");
    ck_assert_str_eq(vqemu_command_digest(plain, VQEMU_DIGEST_HARDWARE),
                     vqemu_command_digest(flagged, VQEMU_DIGEST_HARDWARE));
    ck_assert_ptr_null(vqemu_command_digest(plain, "other"));
}
END_TEST

/* Only what would undo a promise is refused (tests/cases/refusals/extra-*). */
START_TEST(other_extra_arguments_are_taken_as_they_are) {
    static const char *const cases[] = {
        "\"-S\"",
        "\"-incoming\", \"defer\"",
        "\"-run-with\", \"async-teardown=on\"",
        "\"-no-shutdown\"",
        "\"-pidfiles\"",
        "\"pidfile\", \"-\", \"--\", \"\"",
        "\"-append\", \"user=/srv/a/b\"",
        "\"-drive\", \"file=/b,if=none\", \"-chardev\", \"file,id=x,path=/b\"",
        "\"-chardev\", \"socket,id=x,path=/run/volt/y/qmp.sock\"",
        "\"-drive\", \"file=/srv/a.raw\", \"-fw_cfg\", \"opt/srv/a\", \"=/\", \"\\\"/\"",
        "\"-device\", \"{\\\"a\\\": \\\"/srv,/b\\\", \\\"b\\\": \\\"/srv\"",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *json = format_string(
            "{\"name\": \"x\", \"disks\": [{\"file\": \"/srv/a\"}], \"extra_args\": [%s]}",
            cases[i]);
        _cleanup_command_ vqemu_command *command = build_with(json, 0);
        ck_assert_ptr_nonnull(command);
    }
}
END_TEST

START_TEST(nothing_crashes_without_a_command) {
    _cleanup_vm_ vqemu_vm *vm = make_vm("x");
    vqemu_command *command = (vqemu_command *)vm;
    vqemu_error *error = NULL;
    char *text = (char *)vm;
    ck_assert_int_eq(vqemu_command_build(NULL, vm, NULL, 0, NULL, &command, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_ptr_null(command);
    ck_assert_str_eq(vqemu_error_detail(error, "argument"), "runtime");
    ck_assert_int_eq(vqemu_command_build(NULL, vm, NULL, 0, NULL, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_to_shell(NULL, 0, &text, &error), VQEMU_ERR_USAGE);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(vqemu_command_to_json(NULL, 0, &text, &error), VQEMU_ERR_USAGE);
    _cleanup_runtime_ vqemu_runtime *runtime =
        make_runtime("emulate-x86", "x86_64", NULL, NULL, NULL);
    ck_assert_int_eq(vqemu_command_build(runtime, NULL, NULL, 0, NULL, &command, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 8, NULL, &command, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "0x8"));
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error), 0);
    ck_assert_ptr_null(error);
    vqemu_command_unref(command);
    ck_assert_ptr_null(vqemu_command_argv(NULL));
    ck_assert_ptr_null(vqemu_command_envp(NULL));
    ck_assert_ptr_null(vqemu_command_path(NULL));
    ck_assert_ptr_null(vqemu_command_runtime(NULL));
    ck_assert_ptr_null(vqemu_command_digest(NULL, VQEMU_DIGEST_COMMAND));
    ck_assert_ptr_null(vqemu_command_socket(NULL, "qmp"));
    ck_assert_uint_eq(vqemu_command_socket_count(NULL), 0);
    ck_assert_ptr_null(vqemu_command_socket_name(NULL, 0));
    ck_assert_int_eq(vqemu_command_fd_at(NULL, 0), -1);
    ck_assert_uint_eq(vqemu_command_companion_count(NULL), 0);
    ck_assert_uint_eq(vqemu_command_file_count(NULL), 0);
}
END_TEST

/* ---- the hardware digest ---- */

static const char plain_vm[] = "{\"name\": \"x\", \"disks\": [{\"file\": \"/d\"}], \"nics\": [{}]}";

/* Whether the guest sees the same hardware as that of plain_vm. */
static bool sees_the_same(const char *json) {
    _cleanup_command_ vqemu_command *plain = build_with(plain_vm, 0), *other = build_with(json, 0);
    ck_assert_str_ne(vqemu_command_digest(plain, VQEMU_DIGEST_COMMAND),
                     vqemu_command_digest(other, VQEMU_DIGEST_COMMAND));
    return strcmp(vqemu_command_digest(plain, VQEMU_DIGEST_HARDWARE),
                  vqemu_command_digest(other, VQEMU_DIGEST_HARDWARE)) == 0;
}

#define DISK(more) "\"disks\": [{\"file\": \"/d\"" more "}]"
#define SAME(more) "{\"name\": \"x\", " more "}"

START_TEST(the_hardware_digest_leaves_out_what_only_the_host_sees) {
    static const char *const cases[] = {
        SAME("\"disks\": [{\"file\": \"/elsewhere\"}], \"nics\": [{}]"),
        SAME("\"disks\": [{\"fd\": 7}], \"nics\": [{}]"),
        SAME(DISK(", \"cache\": \"none\", \"aio\": \"native\"") ", \"nics\": [{}]"),
        SAME(DISK(", \"cache\": \"writethrough\"") ", \"nics\": [{}]"),
        SAME(DISK(", \"format\": \"qcow2\", \"discard\": true") ", \"nics\": [{}]"),
        SAME(DISK(", \"format\": \"qcow2\", \"backing\": [{\"file\": \"/b\"}]") ", \"nics\": [{}]"),
        SAME(DISK(", \"iothread\": \"a\"") ", \"nics\": [{}]"),
        SAME(DISK(", \"boot_order\": 2") ", \"nics\": [{}]"),
        SAME(DISK("") ", \"nics\": [{\"forwards\": [{\"host_port\": 1, \"guest_port\": 22}]}]"),
        SAME(DISK("") ", \"nics\": [{}], \"memory_shared\": true"),
        SAME(DISK("") ", \"nics\": [{}], \"qmp_socket\": \"/q\", \"sandbox\": false"),
        SAME(DISK("") ", \"nics\": [{}], \"kernel\": \"/k\", \"append\": \"-m\""),
        SAME(DISK("") ", \"nics\": [{}], \"reboot\": false, \"console\": \"pty\""),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(sees_the_same(cases[i]), "%s", cases[i]);
}
END_TEST

START_TEST(the_hardware_digest_has_what_the_guest_sees) {
    static const char *const cases[] = {
        SAME("\"disks\": [{\"file\": \"/d\"}, {\"file\": \"/e\"}], \"nics\": [{}]"),
        SAME(DISK(", \"read_only\": true") ", \"nics\": [{}]"),
        SAME(DISK(", \"format\": \"qcow2\", \"read_only\": true") ", \"nics\": [{}]"),
        SAME(DISK(", \"bus\": \"scsi\"") ", \"nics\": [{}]"),
        SAME(DISK(", \"serial\": \"s,1\"") ", \"nics\": [{}]"),
        SAME(DISK("") ", \"nics\": [{\"mac\": \"52:54:00:00:00:01\"}]"),
        SAME(DISK("") ", \"nics\": [{\"model\": \"e1000\"}]"),
        SAME(DISK("") ", \"nics\": [{\"backend\": \"tap\", \"ifname\": \"t\"}]"),
        SAME(DISK("")),
        SAME(DISK("") ", \"nics\": [{}], \"cpus\": 2"),
        SAME(DISK("") ", \"nics\": [{}], \"cpus\": 1, \"cpu_model\": \"qemu64\""),
        SAME(DISK("") ", \"nics\": [{}], \"memory\": 512"),
        SAME(DISK("") ", \"nics\": [{}], \"machine\": \"pc\""),
        SAME(DISK("") ", \"nics\": [{}], \"console\": \"none\""),
        SAME(DISK("") ", \"nics\": [{}], \"rtc\": \"localtime\""),
        SAME(DISK("") ", \"nics\": [{}], \"uuid\": \"00000000-0000-0000-0000-000000000001\""),
        SAME(DISK("") ", \"nics\": [{}], \"extra_args\": [\"-snapshot\"]"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(!sees_the_same(cases[i]), "%s", cases[i]);
}
END_TEST

START_TEST(the_order_of_cpu_features_is_none_of_the_hardware) {
    _cleanup_command_ vqemu_command *
        a =
           build_with("{\"name\": \"x\", \"cpu_features\": {\"avx\": true, \"sse4.1\": false}}", 0),
       *b =
           build_with("{\"name\": \"x\", \"cpu_features\": {\"sse4.1\": false, \"avx\": true}}", 0);
    ck_assert_str_eq(vqemu_command_digest(a, VQEMU_DIGEST_HARDWARE),
                     vqemu_command_digest(b, VQEMU_DIGEST_HARDWARE));
}
END_TEST

START_TEST(where_the_profile_lies_is_none_of_the_hardware) {
    _cleanup_vm_ vqemu_vm *vm = make_vm("x");
    _cleanup_runtime_ vqemu_runtime *one = make_runtime("emulate-x86", "x86_64", NULL, NULL, NULL),
                                    *two = make_runtime("emulate-x86", "x86_64", "/t/lib",
                                                        "/t/lib/qemu", "/t/lib/ld.so");
    _cleanup_command_ vqemu_command *a = NULL, *b = NULL;
    ck_assert_int_eq(vqemu_command_build(one, vm, NULL, 0, NULL, &a, NULL), 0);
    ck_assert_int_eq(vqemu_command_build(two, vm, NULL, 0, NULL, &b, NULL), 0);
    ck_assert_str_eq(vqemu_command_digest(a, VQEMU_DIGEST_HARDWARE),
                     vqemu_command_digest(b, VQEMU_DIGEST_HARDWARE));
}
END_TEST

/* As include/volt-qemu/command.h describes it. */
START_TEST(the_hardware_digest_is_what_it_says) {
    static const char *const strings[] = {
        "volt-hardware 1",
        "x86_64",
        "-uuid",
        "00000000-0000-0000-0000-000000000001",
        "-machine",
        "q35",
        "hpet=off",
        "vmport=off",
        "-cpu",
        "max",
        "-smp",
        "2",
        "cores=2",
        "sockets=1",
        "threads=1",
        "-m",
        "256",
        "-rtc",
        "base=utc",
        "-global",
        "ICH9-LPC.disable_s3=1",
        "-global",
        "ICH9-LPC.disable_s4=1",
        "-serial",
        "port",
        "-device",
        "virtio-blk-pci",
        "addr=0x18",
        "drive=writable",
        "id=drive0",
        "serial=a,,b",
        "-device",
        "virtio-net-pci",
        "addr=0x10",
        "id=nic0",
        "mac=52:54:00:00:00:01",
        "netdev=user",
        "romfile=",
        "-snapshot",
    };
    _cleanup_command_ vqemu_command *command = build_with(
        SAME("\"cpus\": 2, \"uuid\": \"00000000-0000-0000-0000-000000000001\", "
             "\"disks\": [{\"file\": \"/d\", \"serial\": \"a,b\"}], "
             "\"nics\": [{\"mac\": \"52:54:00:00:00:01\"}], \"extra_args\": [\"-snapshot\"]"),
        0);
    _cleanup_strbuf_ struct strbuf text = {0};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        strbuf_add_bytes(&text, strings[i], strlen(strings[i]) + 1);
    struct digest digest = digest_of_bytes(text.text, text.length);
    ck_assert_str_eq(vqemu_command_digest(command, VQEMU_DIGEST_HARDWARE), digest.hex);
}
END_TEST

START_TEST(json_gives_the_command_back) {
    _cleanup_vm_ vqemu_vm *vm = make_vm("\xc3\xa4 \"quoted\" \n\x01"), *bad = make_vm("\xff");
    _cleanup_command_ vqemu_command *command = make_command("x86_64", vm),
                                    *no_json = make_command("x86_64", bad);
    _cleanup_free_ char *text = NULL;
    char *none = (char *)vm;
    ck_assert_int_eq(vqemu_command_to_json(command, 0, &text, NULL), 0);
    json_t *root = json_loads(text, 0, NULL);
    const json_t *argv = json_object_get(root, "argv");
    for (size_t i = 0; vqemu_command_argv(command)[i]; i++)
        ck_assert_str_eq(json_string_value(json_array_get(argv, i)),
                         vqemu_command_argv(command)[i]);
    ck_assert_str_eq(json_string_value(json_object_get(root, "cwd")), "/");
    ck_assert_str_eq(json_string_value(json_object_get(root, "fingerprint")),
                     vqemu_command_digest(command, VQEMU_DIGEST_COMMAND));
    ck_assert_str_eq(json_string_value(json_object_get(root, "hardware_digest")),
                     vqemu_command_digest(command, VQEMU_DIGEST_HARDWARE));
    json_decref(root);
    ck_assert_int_eq(vqemu_command_to_json(no_json, 0, &none, NULL), VQEMU_ERR_UNSUPPORTED);
    ck_assert_ptr_null(none);
}
END_TEST

/* A program at a path of its own, that prints its arguments, each followed by a NUL. */
static vqemu_command *make_printer(const char *path, char *const *extra) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_free_ char *binary = scratch_path(path);
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths(binary, "/f", NULL, NULL, NULL));
    _cleanup_vm_ vqemu_vm *vm = make_vm("x");
    vqemu_command *command = NULL;
    write_file(path, "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\"\n", 0755);
    for (size_t i = 0; extra[i]; i++) {
        _cleanup_free_ char *key = format_string(VQEMU_KEY_EXTRA_ARGS_AT(VQEMU_KEYS_ANY), i);
        ck_assert_int_eq(vqemu_vm_set_string(vm, key, extra[i], NULL), 0);
    }
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, NULL), 0);
    return command;
}

static void is_harmless_on_a_terminal(const char *text) {
    ck_assert(utf8_is_valid(text));
    for (const char *c = text; *c; c += utf8_sequence_length(c)) {
        ck_assert(((unsigned char)*c >= 0x20 && *c != 0x7f) || *c == '\n' || *c == '\t');
        ck_assert(!utf8_is_deceptive(utf8_decode(c, utf8_sequence_length(c))));
    }
}

START_TEST(a_shell_runs_the_text_byte_for_byte) {
    static const char *const paths[] = {"plain", "a=b", "a b'c\"d$e\\f;g", "new\nline\xff"};
    char every_byte[255 + 1], deceptive[] = "a\xc2\x9b\xe2\x80\xae'\x1b\r\n";
    char *extra[] = {every_byte, every_byte + 100, every_byte + 255, deceptive, NULL};
    for (int i = 0; i < 255; i++)
        every_byte[i] = (char)(i + 1);
    every_byte[255] = '\0';
    _cleanup_command_ vqemu_command *command = make_printer(paths[_i], extra);
    _cleanup_free_ char *text = NULL, *script = scratch_path("script");
    ck_assert_int_eq(vqemu_command_to_shell(command, 0, &text, NULL), 0);
    is_harmless_on_a_terminal(text);
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
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, NULL), 0);
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
    tcase_add_test(tests, the_fingerprint_is_what_it_says);
    tcase_add_test(tests, json_gives_the_command_back);
    tcase_add_test(tests, a_command_tells_what_belongs_to_it);
    tcase_add_test(tests, as_much_as_there_can_be_is_no_trouble);
    tcase_add_test(tests, companions_are_commands);
    tcase_add_test(tests, flags_add_options);
    tcase_add_test(tests, other_extra_arguments_are_taken_as_they_are);
    tcase_add_test(tests, nothing_crashes_without_a_command);
    tcase_add_test(tests, the_hardware_digest_leaves_out_what_only_the_host_sees);
    tcase_add_test(tests, the_hardware_digest_has_what_the_guest_sees);
    tcase_add_test(tests, the_order_of_cpu_features_is_none_of_the_hardware);
    tcase_add_test(tests, where_the_profile_lies_is_none_of_the_hardware);
    tcase_add_test(tests, the_hardware_digest_is_what_it_says);
    tcase_add_loop_test(tests, a_shell_runs_the_text_byte_for_byte, 0, 4);
    tcase_add_test(tests, a_command_outlives_what_it_was_made_of);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
