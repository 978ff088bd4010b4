/* SPDX-License-Identifier: MIT */
#include "base/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* Who looks for users of trees meets processes that end meanwhile: they hide nothing. */
START_TEST(a_process_that_has_ended_is_hollow) {
    _cleanup_close_ int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    ck_assert_int_gt(child, 0);
    _cleanup_close_ int fd = proc_open_process(proc_fd, child);
    ck_assert_int_ge(fd, 0);
    ck_assert(!proc_is_hollow(fd));
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    siginfo_t info;
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    ck_assert(proc_is_hollow(fd)); /* a zombie */
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert(proc_is_hollow(fd)); /* gone */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("proc");
    TCase *tests = tcase_create("proc");
    tcase_add_test(tests, a_process_that_has_ended_is_hollow);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
