/* SPDX-License-Identifier: MIT */
#include "qemu/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "qemu/confine.h"
#include "qemu/program.h"
#include "util/fd.h"

#define STACK_SIZE ((size_t)128 * 1024)
#define SAID_MAX ((size_t)1000)
#define SPARE_FD 10 /* above all that the child is to have */

/* What the child needs to know. It shares the memory of its parent, which waits until it executes
 * its program. */
struct birth {
    char *const *argv, *const *envp;
    const char *cwd;
    int input, socket, output, rules;
    int error; /* an errno, if it comes to nothing */
};

/* ---- in the child: nothing but system calls ---- */

/* Its descriptors, from where they cannot be in each other's way. */
static int place_descriptors(const struct birth *birth) {
    int input = fcntl(birth->input, F_DUPFD_CLOEXEC, SPARE_FD);
    int socket = fcntl(birth->socket, F_DUPFD_CLOEXEC, SPARE_FD);
    int output = fcntl(birth->output, F_DUPFD_CLOEXEC, SPARE_FD);
    if (input < 0 || socket < 0 || output < 0 || dup2(input, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0 ||
        dup2(socket, CHILD_SOCKET) < 0)
        return errno;
    return 0;
}

/* What is open in the parent is not for the child, whether or not it says so itself. Rules that are
 * needed until then are moved out of the way. */
static int close_others(int *rules) {
    if (*rules >= 0 && *rules != CHILD_SOCKET + 1) {
        if (dup2(*rules, CHILD_SOCKET + 1) < 0)
            return errno;
        *rules = CHILD_SOCKET + 1;
    }
    unsigned first = CHILD_SOCKET + (*rules >= 0 ? 2 : 1);
    if (syscall(SYS_close_range, first, ~0U, 0) < 0) {
        if (errno != ENOSYS && errno != EPERM)
            return errno;
        for (int fd = (int)first; fd < 65536; fd++)
            close(fd);
    }
    return *rules >= 0 && fcntl(*rules, F_SETFD, FD_CLOEXEC) < 0 ? errno : 0;
}

static void reset_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static int become(const struct birth *birth) {
    int rules = birth->rules;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* of the thread that asks */
    setsid();                         /* what is typed at a terminal is not for it */
    reset_signals();
    int r = place_descriptors(birth);
    if (r == 0)
        r = close_others(&rules);
    if (r == 0 && chdir(birth->cwd) < 0)
        r = errno;
    if (r == 0)
        r = confine_self(rules);
    if (r == 0) {
        execve(birth->argv[0], birth->argv, birth->envp);
        r = errno;
    }
    return r;
}

static int run_child(void *given) {
    struct birth *birth = given;
    birth->error = become(birth);
    _exit(127);
}

/* ---- in the parent ---- */

/* By its descriptor: if somebody else has waited for it, its number can be another's by now. */
static void kill_and_reap(const struct child *child) {
    siginfo_t ended;
    /* As long as nobody has waited for it, its number is no other group's. */
    if (waitid(P_PIDFD, (id_t)child->pid_fd, &ended, WEXITED | WNOHANG | WNOWAIT) == 0)
        kill(-child->pid, SIGKILL);
    syscall(SYS_pidfd_send_signal, child->pid_fd, SIGKILL, NULL, 0);
    while (waitid(P_PIDFD, (id_t)child->pid_fd, &ended, WEXITED) < 0 && errno == EINTR)
        ;
}

/*
 * What the child starts ends with it, whatever session that puts itself in: the child is the first
 * of PIDs of its own (pid_namespaces(7)). Who may not make these has only its process group.
 */
static pid_t clone_child(struct birth *birth, void *stack_end, int *pid_fd) {
    const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    pid_t pid = clone(run_child, stack_end, flags | CLONE_NEWPID, birth, pid_fd);
    return pid < 0 ? clone(run_child, stack_end, flags, birth, pid_fd) : pid;
}

/*
 * As vfork(2), with a stack of its own. Signals wait meanwhile: a handler of the parent's must not
 * run in the child, which has the same memory.
 */
static int give_birth(struct birth *birth, struct child *child) {
    void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return -errno;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pid_fd = -1, r = 0;
    pid_t pid = clone_child(birth, (char *)stack + STACK_SIZE, &pid_fd);
    if (pid < 0)
        r = -errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, STACK_SIZE);
    if (r < 0)
        return r;
    child->pid_fd = pid_fd;
    child->pid = pid;
    int above = fd_above_stdio(pid_fd);
    if (above < 0)
        kill_and_reap(child);
    child->pid_fd = above;
    return above < 0 ? above : -birth->error;
}

static int make_socket(struct child *child, int *other) {
    int pair[2];
    struct low_fds low;
    low_fds_hold(&low, O_RDWR);
    int r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0;
    low_fds_release(&low);
    if (r < 0)
        return r;
    child->socket = fd_above_stdio(pair[0]);
    *other = fd_above_stdio(pair[1]);
    return child->socket < 0 ? child->socket : *other < 0 ? *other : 0;
}

static int open_files(struct birth *birth, struct child *child) {
    birth->input = open_at(AT_FDCWD, "/dev/null", O_RDONLY, 0);
    if (birth->input < 0)
        return birth->input;
    child->output = make_memory_file("qemu");
    birth->output = child->output;
    return child->output < 0 ? child->output : make_socket(child, &birth->socket);
}

static int start(const vqemu_runtime *runtime, const struct strv *arguments, struct birth *birth,
                 struct child *child) {
    _cleanup_strv_ struct strv argv = {0}, envp = {0};
    _cleanup_free_ char *cwd = program_cwd(runtime);
    if (!cwd)
        return -ENOMEM;
    program_add_arguments(&argv, runtime, cwd);
    for (size_t i = 0; i < arguments->count; i++)
        strv_add(&argv, arguments->items[i]);
    program_add_environment(&envp, runtime, cwd);
    if (argv.failed || envp.failed || arguments->failed)
        return -ENOMEM;
    static char *const nothing[] = {NULL};
    birth->argv = argv.items;
    birth->envp = envp.items ? envp.items : nothing;
    birth->cwd = cwd;
    return give_birth(birth, child);
}

int child_start(const vqemu_runtime *runtime, const struct strv *arguments, struct child *child,
                vqemu_error **error) {
    struct birth birth = {.input = -1, .socket = -1, .rules = -1};
    *child = CHILD_NONE;
    int r = open_files(&birth, child);
    if (r == 0)
        birth.rules = confine_make_rules(runtime);
    if (r == 0 && birth.rules < -1)
        r = birth.rules;
    if (r == 0)
        r = start(runtime, arguments, &birth, child);
    cleanup_close(&birth.input);
    cleanup_close(&birth.socket);
    cleanup_close(&birth.rules);
    if (r == 0)
        return 0;
    child_end(child);
    const char *program = vqemu_runtime_binary(runtime);
    r = error_system(error, -r, "cannot start %s to ask it what it can do", program);
    return error_because(r, error, "not-started", VQEMU_DETAIL_PATH, program, NULL);
}

char *child_said(const struct child *child) {
    char text[SAID_MAX + 1];
    ssize_t length = child->output < 0 ? 0 : pread(child->output, text, SAID_MAX, 0);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length > 0 ? length : 0] = '\0';
    return make_printable(text);
}

bool child_wait(const struct child *child, int milliseconds) {
    struct pollfd poller = {.fd = child->pid_fd, .events = POLLIN};
    return poll(&poller, 1, milliseconds) > 0;
}

/* It was killed, or says that it failed. If somebody else has waited for it, that is not known. */
static bool has_ended_badly(const struct child *child) {
    siginfo_t ended = {0};
    return waitid(P_PIDFD, (id_t)child->pid_fd, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           (ended.si_code != CLD_EXITED || ended.si_status != 0);
}

int child_all_said(const struct child *child, size_t limit, char **said) {
    size_t size;
    *said = NULL;
    if (has_ended_badly(child) || lseek(child->output, 0, SEEK_SET) < 0)
        return 0;
    int r = read_all(child->output, limit, said, &size);
    return r == -ENOMEM ? r : 0;
}

void child_end(struct child *child) {
    if (child->pid_fd >= 0)
        kill_and_reap(child);
    cleanup_close(&child->pid_fd);
    cleanup_close(&child->socket);
    cleanup_close(&child->output);
    *child = CHILD_NONE;
}
