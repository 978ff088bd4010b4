/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "choice/selection.h"
#include "command/command.h"
#include "fixture.h"
#include "run.h"
#include "tree/runtime.h"
#include "util/strbuf.h"
#include "vm/vm.h"

#define OTHER_USER 12345 /* of no database */

/* Flash images have a size that flash can have. */
static void write_image(const char *path, const char *content) {
    _cleanup_free_ char *absolute = scratch_path(path);
    write_file(path, content, 0600);
    ck_assert_int_eq(truncate(absolute, 4096), 0);
}

static void make_directory(void) {
    make_scratch();
    ck_assert_int_eq(mkdirat(scratch_fd, "fw", 0755), 0);
    write_image("fw/OVMF_CODE_4M.fd", "code");
    write_image("fw/OVMF_VARS_4M.fd", "vars");
}

/* A UEFI guest with TPM and VNC, whose directories are below the scratch directory. */
static vqemu_vm *make_vm(void) {
    _cleanup_free_ char *state = scratch_path("a/state"), *run = scratch_path("b/run");
    vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "state_dir", state, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "runtime_dir", run, NULL), 0);
    return vm;
}

static vqemu_vm *make_uefi_vm(void) {
    vqemu_vm *vm = make_vm();
    ck_assert_int_eq(vqemu_vm_set_string(vm, "firmware", "uefi", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "display", "vnc", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_switch(vm, "tpm", VQEMU_SWITCH_ON, NULL), 0);
    return vm;
}

static int prepare_by(const vqemu_vm *vm, uint32_t flags, vqemu_call *call, vqemu_error **error) {
    _cleanup_free_ char *firmware_dir = scratch_path("fw");
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths("/t/bin/qemu", firmware_dir, NULL, NULL, NULL));
    _cleanup_command_ vqemu_command *command = NULL;
    int r = vqemu_command_build(runtime, vm, NULL, 0, &command, error);
    return r < 0 ? r : vqemu_prepare(command, flags, call, error);
}

static int prepare(const vqemu_vm *vm, uint32_t flags, vqemu_error **error) {
    return prepare_by(vm, flags, NULL, error);
}

static void prepares(const vqemu_vm *vm, uint32_t flags) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = prepare(vm, flags, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

static void fails(const vqemu_vm *vm, uint32_t flags, int code, const char *mentioned) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(prepare(vm, flags, &error), code);
    ck_assert_msg(strstr(vqemu_error_message(error), mentioned), "%s", vqemu_error_message(error));
}

static void has_mode(const char *path, mode_t mode) {
    ck_assert_uint_eq(stat_of(path).st_mode, mode);
}

static void has_content(const char *path, const char *expected) {
    _cleanup_free_ char *content = read_file(path);
    ck_assert_str_eq(content, expected);
}

START_TEST(what_the_vm_uses_is_made) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    prepares(vm, 0);
    has_mode("a", S_IFDIR | 0755);
    has_mode("a/state", S_IFDIR | 0700);
    has_mode("a/state/tpm", S_IFDIR | 0700);
    has_mode("b/run", S_IFDIR | 0700);
    has_mode("a/state/nvram.fd", S_IFREG | 0600);
    has_content("a/state/nvram.fd", "vars");
    ck_assert(exists("a/state/nvram.fd.firmware"));
}
END_TEST

START_TEST(what_is_there_stays) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    prepares(vm, 0);
    write_image("a/state/nvram.fd", "mine");
    prepares(vm, 0);
    has_content("a/state/nvram.fd", "mine");
}
END_TEST

/* In which QEMU notes that it runs. */
START_TEST(a_vm_that_needs_nothing_gets_a_runtime_directory) {
    _cleanup_vm_ vqemu_vm *vm = make_vm();
    prepares(vm, 0);
    has_mode("b/run", S_IFDIR | 0700);
    ck_assert(!exists("a"));
}
END_TEST

START_TEST(variables_of_other_firmware_are_refused_or_kept_or_reset) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    prepares(vm, 0);
    write_image("a/state/nvram.fd", "mine");
    ck_assert_int_eq(unlinkat(scratch_fd, "fw/OVMF_CODE_4M.fd", 0), 0);
    write_image("fw/OVMF_CODE_4M.fd", "new code");
    fails(vm, 0, VQEMU_ERR_CHANGED, "nvram.fd");
    has_content("a/state/nvram.fd", "mine");
    prepares(vm, VQEMU_PREPARE_KEEP_VARIABLES);
    has_content("a/state/nvram.fd", "mine");
    prepares(vm, 0);
    prepares(vm, VQEMU_PREPARE_RESET_VARIABLES);
    has_content("a/state/nvram.fd", "vars");
    has_content("a/state/nvram.fd.old", "mine");
}
END_TEST

START_TEST(flags_are_checked) {
    _cleanup_vm_ vqemu_vm *vm = make_vm();
    fails(vm, 3, VQEMU_ERR_USAGE, "both kept and started anew");
    fails(vm, 4, VQEMU_ERR_USAGE, "0x4");
}
END_TEST

START_TEST(what_is_in_the_way_is_named) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    write_file("a", "a file", 0644);
    fails(vm, 0, VQEMU_ERR_SYSTEM, "/a");
    ck_assert_int_eq(unlinkat(scratch_fd, "a", 0), 0);
    ck_assert_int_eq(mkdirat(scratch_fd, "a", 0755), 0);
    write_file("a/state", "a file", 0644);
    fails(vm, 0, VQEMU_ERR_INVALID, "/a/state is no directory");
}
END_TEST

START_TEST(a_user_gets_what_was_made) {
    static const char *const paths[] = {"a/state", "a/state/tpm", "a/state/nvram.fd",
                                        "a/state/nvram.fd.firmware", "b/run"};
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    ck_assert_int_eq(vqemu_vm_set_string(vm, "user", "no-such-user", NULL), 0);
    fails(vm, 0, VQEMU_ERR_NOT_FOUND, "no user \"no-such-user\"");
    _cleanup_free_ char *user = format_string("%d", OTHER_USER);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "user", user, NULL), 0);
    if (geteuid() != 0) { /* who may not give files away is told so */
        fails(vm, 0, VQEMU_ERR_SYSTEM, "to the user that the VM runs as");
        return;
    }
    prepares(vm, 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        ck_assert_uint_eq(stat_of(paths[i]).st_uid, OTHER_USER);
    ck_assert_uint_eq(stat_of("a").st_uid, 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "user", "root", NULL), 0);
    fails(vm, 0, VQEMU_ERR_REFUSED, "/b/run belongs to user 12345");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        ck_assert_int_eq(fchownat(scratch_fd, paths[i], 0, 0, 0), 0);
    prepares(vm, 0);
    ck_assert_uint_eq(stat_of("a/state/nvram.fd").st_uid, 0);
}
END_TEST

START_TEST(links_and_what_everybody_can_write_to_are_refused) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    ck_assert_int_eq(mkdirat(scratch_fd, "a", 0755), 0);
    ck_assert_int_eq(mkdirat(scratch_fd, "elsewhere", 0755), 0);
    ck_assert_int_eq(symlinkat("../elsewhere", scratch_fd, "a/state"), 0);
    fails(vm, 0, VQEMU_ERR_REFUSED, "/a/state is a symbolic link");
    ck_assert_int_eq(unlinkat(scratch_fd, "a/state", 0), 0);
    ck_assert_int_eq(mkdirat(scratch_fd, "a/state", 0700), 0);
    ck_assert_int_eq(fchmodat(scratch_fd, "a/state", 0777, 0), 0);
    fails(vm, 0, VQEMU_ERR_REFUSED, "everybody can write to");
    ck_assert(!exists("a/state/nvram.fd") && !exists("elsewhere/nvram.fd"));
    ck_assert_int_eq(fchmodat(scratch_fd, "a/state", 0755, 0), 0);
    prepares(vm, 0);
}
END_TEST

/* One's own link above the directories, as /var/run is. */
START_TEST(links_of_the_caller_are_followed) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    ck_assert_int_eq(mkdirat(scratch_fd, "elsewhere", 0755), 0);
    ck_assert_int_eq(symlinkat("elsewhere", scratch_fd, "a"), 0);
    prepares(vm, 0);
    ck_assert(exists("elsewhere/state/nvram.fd"));
}
END_TEST

START_TEST(directories_outside_are_made_as_well) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    _cleanup_free_ char *nvram = scratch_path("c/d/variables"), *tpm = scratch_path("e/f");
    ck_assert_int_eq(vqemu_vm_set_string(vm, "nvram", nvram, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "tpm_state", tpm, NULL), 0);
    prepares(vm, 0);
    has_mode("c", S_IFDIR | 0755);
    has_mode("c/d", S_IFDIR | 0700);
    has_mode("c/d/variables", S_IFREG | 0600);
    has_mode("e/f", S_IFDIR | 0700);
    ck_assert(!exists("a"));
}
END_TEST

/* Whom the state directory belongs to can put a link to what is root's into it. */
START_TEST(links_of_the_user_move_nothing) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    _cleanup_free_ char *nvram = scratch_path("a/state/x/nvram.fd"),
                        *tpm = scratch_path("a/state/x/tpm");
    if (geteuid() != 0)
        return;
    ck_assert_int_eq(vqemu_vm_set_string(vm, "user", "12345", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "tpm_state", tpm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "nvram", nvram, NULL), 0);
    prepares(vm, 0);
    ck_assert_int_eq(mkdirat(scratch_fd, "root", 0755), 0);
    ck_assert_int_eq(mkdirat(scratch_fd, "root/tpm", 0755), 0);
    write_image("root/nvram.fd", "vars");
    ck_assert_int_eq(renameat(scratch_fd, "a/state/x", scratch_fd, "a/state/y"), 0);
    ck_assert_int_eq(symlinkat("../../root", scratch_fd, "a/state/x"), 0);
    ck_assert_int_eq(fchownat(scratch_fd, "a/state/x", OTHER_USER, OTHER_USER, AT_SYMLINK_NOFOLLOW),
                     0);
    fails(vm, 0, VQEMU_ERR_REFUSED, "/a/state/x is a symbolic link");
    ck_assert_uint_eq(stat_of("root/tpm").st_uid, 0);
    ck_assert_uint_eq(stat_of("root/nvram.fd").st_uid, 0);
}
END_TEST

START_TEST(a_password_that_nobody_can_type_is_refused) {
    static const struct {
        const char *content, *problem;
        mode_t mode;
    } files[] = {
        {"", "is empty", 0600},         {"abc\n", "has a newline", 0600},
        {"1234567\n", "newline", 0640}, {"abc", "everybody can open", 0644},
        {"12345678\n", NULL, 0600},     {"abc", NULL, 0640},
    };
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    _cleanup_free_ char *path = scratch_path("password"), *directory = scratch_path("fw");
    ck_assert_int_eq(vqemu_vm_set_string(vm, "vnc_password_file", path, NULL), 0);
    fails(vm, 0, VQEMU_ERR_NOT_FOUND, "vnc_password_file: cannot open");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_file("password", files[i].content, 0600);
        ck_assert_int_eq(fchmodat(scratch_fd, "password", files[i].mode, 0), 0);
        if (files[i].problem)
            fails(vm, 0, files[i].mode == 0644 ? VQEMU_ERR_REFUSED : VQEMU_ERR_INVALID,
                  files[i].problem);
        else
            prepares(vm, 0);
        ck_assert_int_eq(unlinkat(scratch_fd, "password", 0), 0);
    }
    ck_assert_int_eq(vqemu_vm_set_string(vm, "vnc_password_file", directory, NULL), 0);
    fails(vm, 0, VQEMU_ERR_INVALID, "is no regular file");
}
END_TEST

/* What a program can act on. */
static void refused_because(const vqemu_vm *vm, const char *reason, const char *key,
                            const char *path) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *absolute = scratch_path(path);
    ck_assert_int_lt(prepare(vm, 0, &error), 0);
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), key);
    ck_assert_str_eq(vqemu_error_detail(error, "path"), absolute);
    ck_assert_int_eq(strncmp(vqemu_error_message(error), key, strlen(key)), 0);
}

START_TEST(a_refusal_has_reason_key_and_path) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    prepares(vm, 0);
    ck_assert_int_eq(fchmodat(scratch_fd, "b/run", 0777, 0), 0);
    refused_because(vm, "writable-by-all", "runtime_dir", "b/run");
    ck_assert_int_eq(fchmodat(scratch_fd, "b/run", 0700, 0), 0);
    ck_assert_int_eq(unlinkat(scratch_fd, "a/state/nvram.fd.firmware", 0), 0);
    refused_because(vm, "other-firmware", "nvram", "a/state/nvram.fd");
    ck_assert_int_eq(renameat(scratch_fd, "a/state/nvram.fd", scratch_fd, "elsewhere"), 0);
    ck_assert_int_eq(symlinkat("../../elsewhere", scratch_fd, "a/state/nvram.fd"), 0);
    refused_because(vm, "symbolic-link", "nvram", "a/state/nvram.fd");
}
END_TEST

/* ---- whose it is ---- */

static void make_dir(const char *path, mode_t mode, uid_t owner) {
    ck_assert_int_eq(mkdirat(scratch_fd, path, 0700), 0);
    ck_assert_int_eq(fchmodat(scratch_fd, path, mode, 0), 0);
    ck_assert_int_eq(fchownat(scratch_fd, path, owner, owner, 0), 0);
}

static void set_path(vqemu_vm *vm, const char *key, const char *path) {
    _cleanup_free_ char *absolute = scratch_path(path);
    ck_assert_int_eq(vqemu_vm_set_string(vm, key, absolute, NULL), 0);
}

static vqemu_vm *make_vm_of_user(const char *user) {
    vqemu_vm *vm = make_uefi_vm();
    ck_assert_int_eq(vqemu_vm_set_string(vm, "user", user, NULL), 0);
    return vm;
}

static const char *const directory_keys[] = {"state_dir", "runtime_dir", "tpm_state"};

START_TEST(what_root_has_is_not_given_away) {
    const char *key = directory_keys[_i];
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_user("12345");
    if (geteuid() != 0)
        return;
    set_path(vm, key, "etc");
    make_dir("etc", 0755, 0);
    write_file("etc/passwords", "secret", 0600);
    refused_because(vm, "not-the-vms", key, "etc");
    write_file("etc/.volt-vm", "y\n", 0600); /* another's */
    refused_because(vm, "not-the-vms", key, "etc");
    write_file("etc/.volt-vm", "x", 0600); /* half of it */
    refused_because(vm, "not-the-vms", key, "etc");
    ck_assert_int_eq(fchownat(scratch_fd, "etc/.volt-vm", 99, 99, 0), 0);
    write_file("etc/.volt-vm", "x\n", 0600); /* a stranger's */
    refused_because(vm, "not-the-vms", key, "etc");
    ck_assert_uint_eq(stat_of("etc").st_uid, 0);
    ck_assert_uint_eq(stat_of("etc").st_mode & 07777, 0755);
    ck_assert_int_eq(fchownat(scratch_fd, "etc/.volt-vm", 0, 0, 0), 0);
    prepares(vm, 0);
    ck_assert_uint_eq(stat_of("etc").st_uid, OTHER_USER);
    ck_assert_uint_eq(stat_of("etc/passwords").st_uid, 0);
}
END_TEST

START_TEST(an_empty_directory_becomes_the_vms) {
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_user("12345");
    if (geteuid() != 0)
        return;
    set_path(vm, directory_keys[_i], "empty");
    make_dir("empty", 0755, 0);
    prepares(vm, 0);
    ck_assert_uint_eq(stat_of("empty").st_uid, OTHER_USER);
    has_content("empty/.volt-vm", "x\n");
    has_mode("empty/.volt-vm", S_IFREG | 0600);
    ck_assert_uint_eq(stat_of("empty/.volt-vm").st_uid, 0);
}
END_TEST

/* Made when the VM ran as root, and known as its own when it has got a user. */
START_TEST(what_was_made_for_a_vm_is_known) {
    static const char *const paths[] = {"a/state", "a/state/tpm", "a/state/nvram.fd",
                                        "a/state/nvram.fd.firmware", "b/run"};
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    if (geteuid() != 0)
        return;
    prepares(vm, 0);
    write_file("b/run/something", "", 0600);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "user", "12345", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "name", "y", NULL), 0);
    refused_because(vm, "not-the-vms", "runtime_dir", "b/run");
    ck_assert_int_eq(vqemu_vm_set_string(vm, "name", "x", NULL), 0);
    prepares(vm, 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        ck_assert_uint_eq(stat_of(paths[i]).st_uid, OTHER_USER);
    ck_assert_uint_eq(stat_of("b/run/something").st_uid, 0);
}
END_TEST

START_TEST(variables_of_root_are_not_given_away) {
    uint32_t flags[] = {0, VQEMU_PREPARE_KEEP_VARIABLES, VQEMU_PREPARE_RESET_VARIABLES};
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_user("12345");
    if (geteuid() != 0)
        return;
    make_dir("others", 0755, 0);
    write_image("others/data", "secret");
    set_path(vm, "nvram", "others/data");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        fails(vm, flags[i], VQEMU_ERR_REFUSED, "nothing says that it is this VM's");
    ck_assert_uint_eq(stat_of("others/data").st_uid, 0);
    ck_assert(!exists("others/data.firmware") && !exists("others/data.old"));
    /* of another VM, with its record */
    _cleanup_vm_ vqemu_vm *other = make_uefi_vm();
    ck_assert_int_eq(vqemu_vm_set_string(other, "name", "y", NULL), 0);
    set_path(other, "state_dir", "c");
    set_path(other, "runtime_dir", "d");
    set_path(other, "nvram", "others/nvram.y");
    set_path(vm, "nvram", "others/nvram.y");
    prepares(other, 0);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        fails(vm, flags[i], VQEMU_ERR_REFUSED, "nothing says that it is this VM's");
    /* its own */
    set_path(vm, "nvram", "others/nvram.x");
    prepares(vm, 0);
    ck_assert_uint_eq(stat_of("others/nvram.x").st_uid, OTHER_USER);
    ck_assert_uint_eq(stat_of("others/nvram.x.firmware").st_uid, OTHER_USER);
    ck_assert_uint_eq(stat_of("others").st_uid, 0);
    ck_assert(!exists("others/.volt-vm"));
    /* a stranger's */
    ck_assert_int_eq(fchownat(scratch_fd, "others/nvram.x", 99, 99, 0), 0);
    refused_because(vm, "wrong-owner", "nvram", "others/nvram.x");
}
END_TEST

/* ---- the way to it ---- */

START_TEST(directories_of_strangers_on_the_way_are_refused) {
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_user("12345");
    const char *keys[] = {"state_dir", "runtime_dir", "tpm_state", "nvram"};
    if (geteuid() != 0)
        return;
    make_dir("pub", 0755, 99);
    make_dir("pub/volt", 0755, 0);
    make_dir("group", 0775, 0);
    make_dir("all", 0777, 0);
    make_dir("tmp", 01777, 0);
    make_dir("tmp/mine", 0700, OTHER_USER);
    make_dir("tmp/others", 0755, 99);
    ck_assert_int_eq(symlinkat("../pub/volt", scratch_fd, "tmp/link"), 0);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        set_path(vm, keys[i], "pub/volt/x/y");
        refused_because(vm, "wrong-owner", keys[i], "pub");
        set_path(vm, keys[i], "tmp/link/x/y");
        refused_because(vm, "wrong-owner", keys[i], "pub");
        set_path(vm, keys[i], "tmp/others/x/y");
        refused_because(vm, "wrong-owner", keys[i], "tmp/others");
        set_path(vm, keys[i], "group/x/y");
        refused_because(vm, "writable-by-group", keys[i], "group");
        set_path(vm, keys[i], "all/x/y");
        refused_because(vm, "writable-by-all", keys[i], "all");
        set_path(vm, keys[i], "tmp/mine/x");
        if (strcmp(keys[i], "nvram") != 0)
            set_path(vm, keys[i], i == 0 ? "tmp/mine/s" : i == 1 ? "tmp/mine/r" : "tmp/mine/t");
        prepares(vm, 0);
    }
    ck_assert(exists("tmp/mine/x") && count_entries("group") == 0 && count_entries("all") == 0);
    ck_assert(count_entries("pub/volt") == 0 && count_entries("tmp/others") == 0);
}
END_TEST

/* A loop, more links than are followed, one that leads up. */
START_TEST(links_end_somewhere) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    make_dir("d", 0755, geteuid());
    ck_assert_int_eq(symlinkat("loop", scratch_fd, "loop"), 0);
    ck_assert_int_eq(symlinkat("d/../.././/", scratch_fd, "up"), 0);
    set_path(vm, "state_dir", "loop/state");
    fails(vm, 0, VQEMU_ERR_SYSTEM, "Too many levels of symbolic links");
    _cleanup_free_ char *up = format_string("up/%s/d/state", strrchr(scratch, '/') + 1);
    set_path(vm, "state_dir", up);
    prepares(vm, 0);
    ck_assert(exists("d/state/nvram.fd"));
}
END_TEST

/* In a directory of its user, who exchanges one and a link to root's all the time. */
START_TEST(no_path_is_walked_twice) {
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_user("12345");
    if (geteuid() != 0)
        return;
    prepares(vm, 0);
    make_dir("root", 0755, 0);
    set_path(vm, "nvram", "a/state/x/nvram.fd");
    make_dir("a/state/x", 0700, OTHER_USER);
    ck_assert_int_eq(symlinkat("../../root", scratch_fd, "a/state/y"), 0);
    pid_t child = fork();
    if (child == 0) {
        while (getppid() != 1 && setresuid(OTHER_USER, OTHER_USER, OTHER_USER) == 0)
            renameat2(scratch_fd, "a/state/x", scratch_fd, "a/state/y", RENAME_EXCHANGE);
        _exit(0);
    }
    for (int i = 0; i < 100; i++)
        prepare(vm, i % 10 ? 0 : VQEMU_PREPARE_RESET_VARIABLES, NULL);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(count_entries("root"), 0);
    ck_assert_uint_eq(stat_of("root").st_uid, 0);
}
END_TEST

/* ---- a VM that runs ---- */

/* As QEMU does, in a process of its own, which lives until the pipe is closed. */
static pid_t lock_pid_file(int *end) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int ready[2], until[2];
    char byte;
    ck_assert(pipe2(ready, O_CLOEXEC) == 0 && pipe2(until, O_CLOEXEC) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(until[1]);
        int fd = openat(scratch_fd, "b/run/qemu.pid", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 && write(ready[1], "x", 1) == 1)
            _exit(read(until[0], &byte, 1) == 0 ? 0 : 1);
        _exit(2);
    }
    close(until[0]);
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *end = until[1];
    return child;
}

START_TEST(a_vm_that_runs_is_not_disturbed) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    _cleanup_error_ vqemu_error *error = NULL;
    int end;
    prepares(vm, 0);
    write_image("a/state/nvram.fd", "mine");
    pid_t child = lock_pid_file(&end);
    _cleanup_free_ char *process = format_string("%d", (int)child);
    _cleanup_free_ char *pid_file = scratch_path("b/run/qemu.pid");
    ck_assert_int_eq(prepare(vm, VQEMU_PREPARE_RESET_VARIABLES, &error), VQEMU_ERR_BUSY);
    ck_assert_str_eq(vqemu_error_reason(error), "runs-already");
    ck_assert_str_eq(vqemu_error_detail(error, "process"), process);
    ck_assert_str_eq(vqemu_error_detail(error, "vm"), "x");
    ck_assert_str_eq(vqemu_error_detail(error, "command"), "test-prepare");
    ck_assert_str_eq(vqemu_error_detail(error, "path"), pid_file);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), process));
    has_content("a/state/nvram.fd", "mine");
    close(end);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    prepares(vm, VQEMU_PREPARE_RESET_VARIABLES); /* the file is there, and nobody has it */
    has_content("a/state/nvram.fd", "vars");
}
END_TEST

START_TEST(what_is_no_pid_file_is_refused) {
    _cleanup_vm_ vqemu_vm *vm = make_vm();
    prepares(vm, 0);
    write_file("elsewhere", "", 0600);
    ck_assert_int_eq(symlinkat("../../elsewhere", scratch_fd, "b/run/qemu.pid"), 0);
    fails(vm, 0, VQEMU_ERR_INVALID, "/b/run/qemu.pid is no regular file");
    ck_assert_int_eq(unlinkat(scratch_fd, "b/run/qemu.pid", 0), 0);
    ck_assert_int_eq(mkfifoat(scratch_fd, "b/run/qemu.pid", 0600), 0);
    fails(vm, 0, VQEMU_ERR_INVALID, "/b/run/qemu.pid is no regular file");
}
END_TEST

/* What a QEMU of root left when it was killed, its user could not open. */
START_TEST(a_pid_file_of_another_user_is_removed) {
    _cleanup_vm_ vqemu_vm *vm = make_vm();
    if (geteuid() != 0)
        return;
    prepares(vm, 0);
    write_file("b/run/qemu.pid", "1\n", 0600);
    prepares(vm, 0);
    ck_assert(exists("b/run/qemu.pid"));
    ck_assert_int_eq(vqemu_vm_set_string(vm, "user", "12345", NULL), 0);
    prepares(vm, 0);
    ck_assert(!exists("b/run/qemu.pid"));
}
END_TEST

START_TEST(nobody_else_reaches_the_sockets) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    make_dir("b", 0755, geteuid());
    make_dir("b/run", 0750, geteuid());
    write_file("b/run/something", "", 0600);
    refused_because(vm, "open-to-others", "runtime_dir", "b/run");
    has_mode("b/run", S_IFDIR | 0750);
    ck_assert_int_eq(unlinkat(scratch_fd, "b/run/something", 0), 0);
    prepares(vm, 0);
    has_mode("b/run", S_IFDIR | 0700);
    ck_assert_int_eq(fchmodat(scratch_fd, "b/run", 0755, 0), 0); /* it is marked by now */
    prepares(vm, 0);
    has_mode("b/run", S_IFDIR | 0700);
}
END_TEST

/* ---- what the VM is made of ---- */

static void set_string(vqemu_vm *vm, const char *key, const char *value) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_vm_set_string(vm, key, value, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

START_TEST(what_is_missing_is_named) {
    static const char *const keys[] = {"kernel",        "initrd",        "rootfs",
                                       "disks[0].file", "disks[1].file", "shares[0].path"};
    make_dir("there", 0755, geteuid());
    make_dir("also", 0755, geteuid());
    write_file("file", "x", 0600);
    write_file("also-file", "x", 0600);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm();
        _cleanup_error_ vqemu_error *error = NULL;
        set_path(vm, "kernel", "file");
        set_path(vm, "initrd", "file");
        set_path(vm, "rootfs", "there");
        set_path(vm, "disks[0].file", "file");
        set_string(vm, "disks[0].id", "first");
        ck_assert_int_eq(vqemu_vm_set_switch(vm, "disks[1].cdrom", VQEMU_SWITCH_ON, NULL), 0);
        set_string(vm, "shares[0].tag", "data");
        set_path(vm, "shares[0].path", "there");
        prepares(vm, 0);
        set_path(vm, keys[i], "missing");
        _cleanup_free_ char *path = scratch_path("missing");
        _cleanup_free_ char *message =
            format_string("%s: %s: No such file or directory", keys[i], path);
        ck_assert_int_eq(prepare(vm, 0, &error), VQEMU_ERR_NOT_FOUND);
        ck_assert_str_eq(vqemu_error_message(error), message);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), keys[i]);
        ck_assert_str_eq(vqemu_error_detail(error, "path"), path);
        bool is_share = strstr(keys[i], "rootfs") || strstr(keys[i], "shares");
        set_path(vm, keys[i], is_share ? "also-file" : "also");
        fails(vm, 0, VQEMU_ERR_INVALID, is_share ? "is no directory" : "is a directory");
    }
}
END_TEST

START_TEST(what_the_user_cannot_open_is_named) {
    static const struct {
        mode_t mode;
        bool is_read_only, is_users, is_refused;
    } cases[] = {
        {0600, false, false, true}, {0600, true, false, true},   {0644, false, false, true},
        {0644, true, false, false}, {0660, false, false, false}, /* the group may be his */
        {0640, false, false, true}, {0600, false, true, false},  {0466, false, true, true}};
    if (geteuid() != 0)
        return;
    write_file("file", "x", 0600);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm_of_user("12345");
        uid_t owner = cases[i].is_users ? OTHER_USER : 0;
        set_path(vm, "disks[0].file", "file");
        if (cases[i].is_read_only)
            ck_assert_int_eq(vqemu_vm_set_switch(vm, "disks[0].read_only", VQEMU_SWITCH_ON, NULL),
                             0);
        ck_assert_int_eq(fchmodat(scratch_fd, "file", cases[i].mode, 0), 0);
        ck_assert_int_eq(fchownat(scratch_fd, "file", owner, owner, 0), 0);
        if (cases[i].is_refused)
            refused_because(vm, "no-access", "disks[0].file", "file");
        else
            prepares(vm, 0);
    }
}
END_TEST

/* ---- qcow2 ---- */

static void put_number(unsigned char *at, int size, uint64_t number) {
    for (int i = size; i-- > 0; number >>= 8)
        at[i] = (unsigned char)number;
}

/* An image whose header names a backing file, or has its content in another file. */
static void write_qcow2(const char *path, unsigned version, const char *backing,
                        const char *data_file) {
    unsigned char bytes[512] = "QFI\xfb";
    unsigned header_size = version < 3 ? 72 : 104;
    _cleanup_free_ char *absolute = scratch_path(path);
    put_number(bytes + 4, 4, version);
    put_number(bytes + 24, 8, 1 << 20);
    if (version >= 3)
        put_number(bytes + 100, 4, header_size);
    if (data_file) {
        put_number(bytes + 72, 8, 4);
        put_number(bytes + header_size, 4, 0xe2792aca); /* the format of a backing file */
        put_number(bytes + header_size + 4, 4, 3);
        memcpy(bytes + header_size + 8, "raw", 3);
        put_number(bytes + header_size + 16, 4, 0x44415441);
        put_number(bytes + header_size + 20, 4, strlen(data_file));
        memcpy(bytes + header_size + 24, data_file, strlen(data_file));
    }
    if (backing) {
        put_number(bytes + 8, 8, 400);
        put_number(bytes + 16, 4, strlen(backing));
        memcpy(bytes + 400, backing, strlen(backing));
    }
    int fd = open(absolute, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, bytes, sizeof bytes), sizeof bytes);
    close(fd);
}

static vqemu_vm *make_vm_of_qcow2(void) {
    vqemu_vm *vm = make_vm();
    set_path(vm, "disks[0].file", "image");
    set_string(vm, "disks[0].format", "qcow2");
    return vm;
}

static void refused_for(const vqemu_vm *vm, const char *reason, const char *key,
                        const char *named) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(prepare(vm, 0, &error), VQEMU_ERR_REFUSED);
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), key);
    ck_assert_str_eq(vqemu_error_detail(error, "value"), named);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), named));
}

START_TEST(what_only_a_header_names_is_refused) {
    unsigned version = _i ? 3 : 2;
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_qcow2();
    write_qcow2("image", version, NULL, NULL);
    prepares(vm, 0);
    write_qcow2("image", version, "/etc/shadow", NULL);
    refused_for(vm, "unnamed-backing", "disks[0].file", "/etc/shadow");
    set_path(vm, "disks[0].backing[0].file", "middle");
    set_string(vm, "disks[0].backing[0].format", "qcow2");
    write_qcow2("middle", version, "base", NULL);
    refused_for(vm, "unnamed-backing", "disks[0].backing[0].file", "base");
    set_path(vm, "disks[0].backing[1].file", "base");
    fails(vm, 0, VQEMU_ERR_NOT_FOUND, "disks[0].backing[1].file: ");
    write_qcow2("base", version, "what raw images have is content", NULL);
    prepares(vm, 0);
    write_file("image", "QFI", 0600);
    fails(vm, 0, VQEMU_ERR_INVALID, "/image is no qcow2 image");
    ck_assert_int_eq(vqemu_vm_remove(vm, "disks[0]", NULL), 0);
    set_path(vm, "disks[0].file", "image");
    prepares(vm, 0); /* a raw one is what it is */
}
END_TEST

START_TEST(a_data_file_that_only_a_header_names_is_refused) {
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_qcow2();
    write_qcow2("image", 3, NULL, "/etc/shadow");
    refused_for(vm, "unnamed-data-file", "disks[0].file", "/etc/shadow");
    write_file("data", "content", 0600);
    set_path(vm, "disks[0].data_file", "data");
    prepares(vm, 0);
    write_qcow2("layer", 3, NULL, "");
    set_path(vm, "disks[0].backing[0].file", "layer");
    set_string(vm, "disks[0].backing[0].format", "qcow2");
    refused_for(vm, "unnamed-data-file", "disks[0].backing[0].file", "");
    set_path(vm, "disks[0].backing[0].data_file", "data2");
    fails(vm, 0, VQEMU_ERR_NOT_FOUND, "disks[0].backing[0].data_file: ");
}
END_TEST

START_TEST(logs_are_made_for_the_user) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    mode_t before = umask(0);
    uid_t user = geteuid() == 0 ? OTHER_USER : geteuid();
    _cleanup_free_ char *number = format_string("%u", (unsigned)user);
    set_string(vm, "user", number);
    set_string(vm, "console", "file"); /* in the state directory: /run is memory */
    set_path(vm, "console_log", "logs/x.log");
    prepares(vm, 0);
    umask(before);
    has_mode("a/state/console.log", S_IFREG | 0600);
    has_mode("logs/x.log", S_IFREG | 0600);
    has_mode("logs", S_IFDIR | 0700);
    ck_assert_uint_eq(stat_of("a/state/console.log").st_uid, user);
    ck_assert_uint_eq(stat_of("logs/x.log").st_uid, user);
    write_file("logs/x.log", "said", 0600);
    prepares(vm, 0);
    has_content("logs/x.log", "said");
    set_string(vm, "console_log", "/dev/null");
    prepares(vm, 0);
    if (geteuid() != 0)
        return;
    set_path(vm, "console_log", "a/state/link"); /* the user's own, to a file of root */
    write_file("root", "", 0600);
    ck_assert_int_eq(symlinkat("../../root", scratch_fd, "a/state/link"), 0);
    ck_assert_int_eq(
        fchownat(scratch_fd, "a/state/link", OTHER_USER, OTHER_USER, AT_SYMLINK_NOFOLLOW), 0);
    refused_because(vm, "symbolic-link", "console_log", "a/state/link");
    ck_assert_uint_eq(stat_of("root").st_uid, 0);
}
END_TEST

START_TEST(locks_and_cancelling_are_those_of_the_call) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    _cleanup_free_ char *directory = scratch_path("a/state");
    vqemu_error *error = NULL;
    prepares(vm, 0);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    vqemu_call *call = make_call(VQEMU_CALL_LOCK_TIMEOUT, 50);
    ck_assert_int_eq(prepare_by(vm, 0, call, &error), VQEMU_ERR_BUSY);
    ck_assert_str_eq(vqemu_error_reason(error), "locked");
    vqemu_call_unref(call);
    call = make_call(VQEMU_CALL_TIMEOUT, 50);
    ck_assert_int_eq(prepare_by(vm, 0, call, &error), VQEMU_ERR_TIMEOUT);
    vqemu_call_unref(call);
    close(fd);
    call = make_call(NULL, 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(prepare_by(vm, 0, call, &error), VQEMU_ERR_CANCELLED);
    vqemu_call_unref(call);
    ck_assert_int_eq(vqemu_prepare(NULL, 0, NULL, &error), VQEMU_ERR_USAGE);
    vqemu_error_free(error);
}
END_TEST

START_TEST(modes_are_not_the_umasks) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    mode_t before = umask(_i ? 0777 : 0);
    prepares(vm, 0);
    umask(before);
    has_mode("a", S_IFDIR | 0755);
    has_mode("a/state", S_IFDIR | 0700);
    has_mode("a/state/tpm", S_IFDIR | 0700);
    has_mode("b/run", S_IFDIR | 0700);
    has_mode("a/state/nvram.fd", S_IFREG | 0600);
    has_mode("a/state/nvram.fd.firmware", S_IFREG | 0600);
}
END_TEST

/* /var/lib/volt may be there or not. */
START_TEST(who_cannot_make_the_defaults_is_told_what_to_set) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_free_ char *run = scratch_path("run");
    ck_assert_int_eq(vqemu_vm_new("no such guest", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "runtime_dir", run, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_switch(vm, "tpm", VQEMU_SWITCH_ON, NULL), 0);
    if (geteuid() == 0) {
        make_dir("run", 0700, OTHER_USER);
        ck_assert_int_eq(seteuid(OTHER_USER), 0);
    }
    fails(vm, 0, VQEMU_ERR_SYSTEM, "cannot make the directory /var/lib/volt");
    fails(vm, 0, VQEMU_ERR_SYSTEM, "(set state_dir and runtime_dir to directories of your own)");
    fails(vm, 0, VQEMU_ERR_SYSTEM, "Permission denied");
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("prepare");
    TCase *tests = tcase_create("prepare");
    tcase_add_checked_fixture(tests, make_directory, remove_scratch);
    tcase_add_test(tests, what_the_vm_uses_is_made);
    tcase_add_test(tests, what_is_there_stays);
    tcase_add_test(tests, a_vm_that_needs_nothing_gets_a_runtime_directory);
    tcase_add_test(tests, variables_of_other_firmware_are_refused_or_kept_or_reset);
    tcase_add_test(tests, flags_are_checked);
    tcase_add_test(tests, what_is_in_the_way_is_named);
    tcase_add_test(tests, a_user_gets_what_was_made);
    tcase_add_test(tests, links_and_what_everybody_can_write_to_are_refused);
    tcase_add_test(tests, links_of_the_caller_are_followed);
    tcase_add_test(tests, directories_outside_are_made_as_well);
    tcase_add_test(tests, links_of_the_user_move_nothing);
    tcase_add_test(tests, a_password_that_nobody_can_type_is_refused);
    tcase_add_test(tests, a_refusal_has_reason_key_and_path);
    tcase_add_loop_test(tests, what_root_has_is_not_given_away, 0, 3);
    tcase_add_loop_test(tests, an_empty_directory_becomes_the_vms, 0, 3);
    tcase_add_test(tests, what_was_made_for_a_vm_is_known);
    tcase_add_test(tests, variables_of_root_are_not_given_away);
    tcase_add_test(tests, directories_of_strangers_on_the_way_are_refused);
    tcase_add_test(tests, links_end_somewhere);
    tcase_add_test(tests, no_path_is_walked_twice);
    tcase_add_test(tests, a_vm_that_runs_is_not_disturbed);
    tcase_add_test(tests, what_is_no_pid_file_is_refused);
    tcase_add_test(tests, a_pid_file_of_another_user_is_removed);
    tcase_add_test(tests, nobody_else_reaches_the_sockets);
    tcase_add_test(tests, what_is_missing_is_named);
    tcase_add_test(tests, what_the_user_cannot_open_is_named);
    tcase_add_loop_test(tests, what_only_a_header_names_is_refused, 0, 2);
    tcase_add_test(tests, a_data_file_that_only_a_header_names_is_refused);
    tcase_add_test(tests, logs_are_made_for_the_user);
    tcase_add_test(tests, locks_and_cancelling_are_those_of_the_call);
    tcase_add_loop_test(tests, modes_are_not_the_umasks, 0, 2);
    tcase_add_test(tests, who_cannot_make_the_defaults_is_told_what_to_set);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
