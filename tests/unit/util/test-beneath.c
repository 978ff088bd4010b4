/* SPDX-License-Identifier: MIT */
/* Opening beneath a directory, with openat2() and where a sandbox or an old kernel has none. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"

static const char template[] = "/tmp/test-beneath-XXXXXX";
static char directory[sizeof template];
static int directory_fd = -1;

static void make_directory(void) {
    strcpy(directory, template);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(directory_fd, 0);
}

static void remove_directory(void) {
    close(directory_fd);
    ck_assert_int_eq(remove_tree(AT_FDCWD, directory), 0);
}

/* How openat2() fails: not at all, and as kernels and filters answer. */
static const int refusals[] = {0, ENOSYS, EPERM, EACCES};
#define REFUSAL_COUNT ((int)(sizeof refusals / sizeof *refusals))

/* For this process, which is one of Check's for a single test. */
static void refuse_openat2(int system_errno) {
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)system_errno),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof instructions / sizeof *instructions, instructions};
    if (system_errno == 0)
        return;
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    ck_assert_int_eq(syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0), -1);
    ck_assert_int_eq(errno, system_errno);
}

static void make_link(const char *target, const char *name) {
    ck_assert_int_eq(symlinkat(target, directory_fd, name), 0);
}

static void write_file(const char *name) {
    int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write_all(fd, name, strlen(name)), 0);
    close(fd);
}

/* A chain of links, "<prefix>1" the longest: so many lead to inner/file. */
static void make_chain(const char *prefix, int count) {
    char name[32], target[32];
    for (int i = 1; i <= count; i++) {
        snprintf(name, sizeof name, "%s%d", prefix, i);
        snprintf(target, sizeof target, "%s%d", prefix, i + 1);
        make_link(i == count ? "inner/file" : target, name);
    }
}

static void make_inventory(void) {
    ck_assert_int_eq(mkdirat(directory_fd, "inner", 0755), 0);
    ck_assert_int_eq(mkdirat(directory_fd, "inner/deep", 0755), 0);
    ck_assert_int_eq(mkdirat(directory_fd, "other", 0755), 0);
    write_file("inner/file");
    make_link("inner/file", "to-file");
    make_link("to-file", "to-link");
    make_link("inner", "to-dir");
    make_link("inner/", "to-dir-with-slash");
    make_link("../inner/./file", "other/up");
    make_link("../../to-dir//deep/../file", "inner/deep/winding");
    make_link("/etc", "to-etc");
    make_link("/proc/self/cwd", "to-proc");
    make_link("..", "to-parent");
    make_link("../../x", "inner/outside");
    make_link(directory, "to-itself-absolute");
    make_link("loop", "loop");
    make_link("nowhere", "dangling");
    make_link("inner/file/", "to-file-with-slash");
    make_chain("short", 40);
    make_chain("long", 41);
}

static const struct {
    const char *path;
    bool follow;
    int result; /* 0 if it opens; that of openat2() is the measure */
} cases[] = {
    {"inner/file", false, 0},
    {"inner/file", true, 0},
    {"inner//file", true, 0},
    {"./inner/./file", true, 0},
    {"inner/deep/../file", true, 0},
    {"inner/deep/..", true, 0},
    {"inner/..", true, 0},
    {".", true, 0},
    {"inner/", true, 0},
    {"to-file", false, -ELOOP},
    {"to-file", true, 0},
    {"to-link", true, 0},
    {"to-dir", false, -ELOOP},
    {"to-dir", true, 0},
    {"to-dir/", false, -ELOOP},
    {"to-dir/file", false, -ELOOP},
    {"to-dir/file", true, 0},
    {"to-dir-with-slash/file", true, 0},
    {"other/up", true, 0},
    {"inner/deep/winding", true, 0},
    {"to-etc", true, -EXDEV},
    {"to-etc/passwd", true, -EXDEV},
    {"to-proc", true, -EXDEV},
    {"to-itself-absolute/inner/file", true, -EXDEV},
    {"to-parent", true, -EXDEV},
    {"inner/outside", true, -EXDEV},
    {"..", true, -EXDEV},
    {"../x", true, -EXDEV},
    {"inner/../../x", false, -EXDEV},
    {"/etc/passwd", true, -EXDEV},
    {"/", true, -EXDEV},
    {"", true, -ENOENT},
    {"loop", true, -ELOOP},
    {"loop/x", true, -ELOOP},
    {"short1", true, 0},
    {"long1", true, -ELOOP},
    {"missing", true, -ENOENT},
    {"missing/x", true, -ENOENT},
    {"dangling", true, -ENOENT},
    {"dangling", false, -ELOOP},
    {"inner/file/x", true, -ENOTDIR},
    {"inner/file/", true, -ENOTDIR},
    {"inner/file/..", true, -ENOTDIR},
    {"inner/file/.", true, -ENOTDIR},
    {"to-file-with-slash", true, -ENOTDIR},
};

START_TEST(nothing_outside_is_opened) {
    make_inventory();
    refuse_openat2(refusals[_i]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = open_beneath(directory_fd, cases[i].path, O_RDONLY, cases[i].follow);
        ck_assert_msg((fd >= 0 ? 0 : fd) == cases[i].result, "%s: %d", cases[i].path, fd);
        if (fd >= 0)
            close(fd);
    }
}
END_TEST

START_TEST(what_is_opened_is_what_the_path_says) {
    static const char *const paths[] = {"to-file", "to-link", "other/up", "inner/deep/winding",
                                        "short1"};
    make_inventory();
    refuse_openat2(refusals[_i]);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        _cleanup_close_ int fd = open_beneath(directory_fd, paths[i], O_RDONLY, true);
        ck_assert_int_ge(fd, 3);
        ck_assert_int_eq(same_file(fd, directory_fd, "inner/file"), 1);
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    }
}
END_TEST

/* A directory may be passed through without being read. */
START_TEST(directories_on_the_way_need_no_right_to_read) {
    bool is_root = geteuid() == 0;
    if (is_root)
        ck_assert_int_eq(seteuid(65534), 0);
    make_directory();
    make_inventory();
    ck_assert_int_eq(fchmodat(directory_fd, "inner", 0311, 0), 0);
    refuse_openat2(refusals[_i]);
    _cleanup_close_ int fd = open_beneath(directory_fd, "inner/file", O_RDONLY, true);
    ck_assert_int_eq(fchmodat(directory_fd, "inner", 0755, 0), 0);
    remove_directory();
    ck_assert_int_ge(fd, 0);
    if (is_root) { /* for those who look for leaks, which a changed user keeps out */
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    }
}
END_TEST

START_TEST(no_descriptor_is_lost) {
    make_inventory();
    refuse_openat2(refusals[_i]);
    int before = dup(directory_fd);
    close(before);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = open_beneath(directory_fd, cases[i].path, O_RDONLY, cases[i].follow);
        if (fd >= 0)
            close(fd);
    }
    int after = dup(directory_fd);
    close(after);
    ck_assert_int_eq(after, before);
}
END_TEST

/* openat2() answers EAGAIN for ".." when anything is renamed meanwhile, anywhere. */
START_TEST(renames_elsewhere_do_not_disturb) {
    make_inventory();
    refuse_openat2(refusals[_i]);
    pid_t renamer = fork();
    if (renamer == 0)
        for (;;) {
            mkdirat(directory_fd, "x", 0755);
            renameat(directory_fd, "x", directory_fd, "y");
            unlinkat(directory_fd, "y", AT_REMOVEDIR);
        }
    int failed = 0;
    for (int i = 0; i < 20000; i++) {
        int fd = open_beneath(directory_fd, "other/up", O_RDONLY, true);
        failed += fd < 0;
        if (fd >= 0)
            close(fd);
    }
    ck_assert_int_eq(kill(renamer, SIGKILL), 0);
    ck_assert_int_eq(waitpid(renamer, NULL, 0), renamer);
    ck_assert_int_eq(failed, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("beneath");
    TCase *tests = tcase_create("open"), *users = tcase_create("users");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, make_directory, remove_directory);
    tcase_add_loop_test(tests, nothing_outside_is_opened, 0, REFUSAL_COUNT);
    tcase_add_loop_test(tests, what_is_opened_is_what_the_path_says, 0, REFUSAL_COUNT);
    tcase_add_loop_test(tests, no_descriptor_is_lost, 0, REFUSAL_COUNT);
    tcase_add_loop_test(tests, renames_elsewhere_do_not_disturb, 0, 2);
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(users, directories_on_the_way_need_no_right_to_read, 0, REFUSAL_COUNT);
    suite_add_tcase(suite, users);
    return run_suite(suite);
}
