/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prepared-vm.h"
#include "run.h"

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
    if (geteuid() == 0) { /* a stranger would know it */
        write_file("password", "abc", 0600);
        ck_assert_int_eq(fchownat(scratch_fd, "password", 4321, 4321, 0), 0);
        fails(vm, 0, VQEMU_ERR_REFUSED, "belongs to user 4321");
    }
    ck_assert_int_eq(vqemu_vm_set_string(vm, "vnc_password_file", directory, NULL), 0);
    fails(vm, 0, VQEMU_ERR_INVALID, "is no regular file");
}
END_TEST

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

START_TEST(locks_and_cancelling_are_those_of_the_call) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    _cleanup_free_ char *directory = scratch_path("a/state");
    vqemu_error *error = NULL;
    prepares(vm, 0);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    vqemu_call *call = make_call(VQEMU_CALL_LOCK_TIMEOUT_MS, 50);
    ck_assert_int_eq(prepare_by(vm, 0, call, &error), VQEMU_ERR_BUSY);
    ck_assert_str_eq(vqemu_error_reason(error), "locked");
    vqemu_call_unref(call);
    call = make_call(VQEMU_CALL_DEADLINE_MS, 50);
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
    run_firmware_alone(vm);
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
    tcase_add_test(tests, nobody_else_reaches_the_sockets);
    tcase_add_test(tests, locks_and_cancelling_are_those_of_the_call);
    tcase_add_loop_test(tests, modes_are_not_the_umasks, 0, 2);
    tcase_add_test(tests, who_cannot_make_the_defaults_is_told_what_to_set);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
