/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prepared-vm.h"
#include "run.h"

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
    ck_assert_str_eq(vqemu_error_detail(error, "process_name"), "test-running");
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

int main(void) {
    Suite *suite = suite_create("running");
    TCase *tests = tcase_create("running");
    tcase_add_checked_fixture(tests, make_directory, remove_scratch);
    tcase_add_test(tests, a_vm_that_runs_is_not_disturbed);
    tcase_add_test(tests, what_is_no_pid_file_is_refused);
    tcase_add_test(tests, a_pid_file_of_another_user_is_removed);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
