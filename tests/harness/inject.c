/* SPDX-License-Identifier: MIT */
/*
 * Runs a command and lets one of its system calls be the last, or fail.
 *
 *     inject [OPTION]... kill N -- COMMAND...          killed as it enters its N-th system call
 *     inject [OPTION]... error ERROR N -- COMMAND...   the N-th call that can fail so does;
 *                                                      N+: and all after it
 *
 * ERROR is ENOSPC, EIO, EMFILE, ENOMEM, EINTR or ECONNRESET. A call that is hit has no effect (but
 * close() has: Linux releases the descriptor whatever it answers). Calls of all threads and
 * children are counted.
 *
 *     --after STRING   count from the first call on whose path has STRING in it: not the loader's
 *     --changes        count only calls that change files, and the end of the process: between two
 * of them, whatever else is killed leaves the same
 *     --only STRING    do not count calls on files whose path does not have STRING in it
 *     --report FILE    write there what was hit: "openat #12, call 345, PATH", or
 *                      "none of 345, status 0"
 *     -v               the same, on standard error
 *
 * Exit status: 77 if the command ended before its N-th call; 137 if it was killed; else that of the
 * command, or 128 and the number of the signal that ended it; 125 if this program failed.
 *
 * Linux on x86-64 only.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#define STATUS_NEVER_REACHED 77
#define STATUS_FAILED 125

#if !defined(__linux__) || !defined(__x86_64__)

int main(void) {
    fputs("inject: only for Linux on x86-64\n", stderr);
    return STATUS_FAILED;
}

#else

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- which calls can fail how ---- */

enum { SPC = 1, IO = 2, MFILE = 4, MEM = 8, INTR = 16, RESET = 32 };

static const struct {
    const char *name;
    int number;
    unsigned bit;
} errors[] = {
    {"ENOSPC", ENOSPC, SPC}, {"EIO", EIO, IO},       {"EMFILE", EMFILE, MFILE},
    {"ENOMEM", ENOMEM, MEM}, {"EINTR", EINTR, INTR}, {"ECONNRESET", ECONNRESET, RESET},
};

/* Where a call names its file: no file; a descriptor; a path; a directory and a path. The number
 * is that of the argument. Of two paths it is the new one. */
enum where { NOWHERE, FD0, FD4, PATH0, PATH1, AT0, AT1, AT2 };

/*
 * The manual pages of section 2 (man-pages 6.03) say which errors a call can return, with these
 * additions from the kernel's sources:
 *   EIO     for every call that reads or writes metadata of a file system: ext4, xfs and btrfs
 *           return it for open(), mkdir(), rename(), getdents(), utimensat() and the like too;
 *           not for stat() of an open descriptor, which reads nothing
 *   ENOSPC  for unlink(), chmod(), utimensat(): btrfs needs room for them
 *   EINTR   for copy_file_range(): it waits for what read() and write() wait for
 * close() reports EIO and ENOSPC of writes that were put off: of files open for writing only.
 * Conditions on arguments are in can_return().
 */
static const struct call {
    long number;
    const char *name;
    enum where where;
    unsigned errors;
} calls[] = {
#define CALL(name, where, errors)                                                                  \
    { SYS_##name, #name, where, errors }
    CALL(open, PATH0, SPC | IO | MFILE | MEM | INTR),
    CALL(openat, AT0, SPC | IO | MFILE | MEM | INTR),
    CALL(openat2, AT0, SPC | IO | MFILE | MEM | INTR),
    CALL(creat, PATH0, SPC | IO | MFILE | MEM | INTR),
    CALL(mkdir, PATH0, SPC | IO | MEM),
    CALL(mkdirat, AT0, SPC | IO | MEM),
    CALL(mknod, PATH0, SPC | IO | MEM),
    CALL(mknodat, AT0, SPC | IO | MEM),
    CALL(link, PATH1, SPC | IO | MEM),
    CALL(linkat, AT2, SPC | IO | MEM),
    CALL(symlink, PATH1, SPC | IO | MEM),
    CALL(symlinkat, AT1, SPC | IO | MEM),
    CALL(rename, PATH1, SPC | IO | MEM),
    CALL(renameat, AT2, SPC | IO | MEM),
    CALL(renameat2, AT2, SPC | IO | MEM),
    CALL(unlink, PATH0, SPC | IO | MEM),
    CALL(unlinkat, AT0, SPC | IO | MEM),
    CALL(rmdir, PATH0, SPC | IO | MEM),
    CALL(stat, PATH0, IO | MEM),
    CALL(lstat, PATH0, IO | MEM),
    CALL(newfstatat, AT0, IO | MEM),
    CALL(statx, AT0, IO | MEM),
    CALL(fstat, FD0, MEM),
    CALL(statfs, PATH0, IO | MEM | INTR),
    CALL(fstatfs, FD0, IO | MEM | INTR),
    CALL(access, PATH0, IO | MEM),
    CALL(faccessat, AT0, IO | MEM),
    CALL(faccessat2, AT0, IO | MEM),
    CALL(readlink, PATH0, IO | MEM),
    CALL(readlinkat, AT0, IO | MEM),
    CALL(getcwd, NOWHERE, MEM),
    CALL(chdir, PATH0, IO | MEM),
    CALL(fchdir, FD0, IO),
    CALL(chmod, PATH0, SPC | IO | MEM),
    CALL(fchmod, FD0, SPC | IO | MEM),
    CALL(fchmodat, AT0, SPC | IO | MEM),
    CALL(chown, PATH0, SPC | IO | MEM),
    CALL(fchown, FD0, SPC | IO | MEM),
    CALL(fchownat, AT0, SPC | IO | MEM),
    CALL(utimensat, AT0, SPC | IO | MEM),
    CALL(getdents64, FD0, IO),
    CALL(read, FD0, IO | INTR),
    CALL(readv, FD0, IO | INTR),
    CALL(pread64, FD0, IO | INTR),
    CALL(preadv, FD0, IO | INTR),
    CALL(preadv2, FD0, IO | INTR),
    CALL(write, FD0, SPC | IO | INTR),
    CALL(writev, FD0, SPC | IO | INTR),
    CALL(pwrite64, FD0, SPC | IO | INTR),
    CALL(pwritev, FD0, SPC | IO | INTR),
    CALL(pwritev2, FD0, SPC | IO | INTR),
    CALL(sendfile, FD0, SPC | IO | MEM),
    CALL(copy_file_range, FD0, SPC | IO | MEM | INTR),
    CALL(ioctl, FD0, SPC | IO | MEM), /* FICLONE */
    CALL(fallocate, FD0, SPC | IO | INTR),
    CALL(truncate, PATH0, IO | INTR),
    CALL(ftruncate, FD0, IO | INTR),
    CALL(fsync, FD0, SPC | IO | INTR),
    CALL(fdatasync, FD0, SPC | IO | INTR),
    CALL(syncfs, FD0, SPC | IO),
    CALL(sync_file_range, FD0, SPC | IO | MEM),
    CALL(msync, NOWHERE, IO),
    CALL(close, FD0, SPC | IO | INTR),
    CALL(lseek, FD0, 0),
    CALL(flock, FD0, INTR),
    CALL(fcntl, FD0, MFILE | INTR), /* F_DUPFD; F_SETLKW */
    CALL(dup, FD0, MFILE),
    CALL(dup2, FD0, INTR),
    CALL(dup3, FD0, INTR),
    CALL(pipe, NOWHERE, MFILE),
    CALL(pipe2, NOWHERE, MFILE),
    CALL(socket, NOWHERE, MFILE | MEM),
    CALL(socketpair, NOWHERE, MFILE),
    CALL(sendto, FD0, MEM | INTR | RESET),
    CALL(recvfrom, FD0, MEM | INTR | RESET),
    CALL(eventfd2, NOWHERE, MFILE | MEM),
    CALL(epoll_create1, NOWHERE, MFILE | MEM),
    CALL(memfd_create, NOWHERE, MFILE | MEM),
    CALL(timerfd_create, NOWHERE, MFILE | MEM),
    CALL(signalfd4, NOWHERE, MFILE | MEM),
    CALL(inotify_init1, NOWHERE, MFILE | MEM),
    CALL(mmap, FD4, MEM),
    CALL(mremap, NOWHERE, MEM),
    CALL(mprotect, NOWHERE, MEM),
    CALL(munmap, NOWHERE, MEM),
    CALL(madvise, NOWHERE, IO | MEM),
    CALL(brk, NOWHERE, MEM), /* has a way of its own to fail: hit_brk() */
    CALL(clone, NOWHERE, MEM),
    CALL(clone3, NOWHERE, MEM),
    CALL(fork, NOWHERE, MEM),
    CALL(vfork, NOWHERE, MEM),
    CALL(execve, PATH0, IO | MFILE | MEM),
    CALL(wait4, NOWHERE, INTR),
    CALL(waitid, NOWHERE, INTR),
    CALL(futex, NOWHERE, INTR), /* FUTEX_WAIT */
    CALL(poll, NOWHERE, MEM | INTR),
    CALL(ppoll, NOWHERE, MEM | INTR),
    CALL(select, NOWHERE, MEM | INTR),
    CALL(pselect6, NOWHERE, MEM | INTR),
    CALL(epoll_wait, NOWHERE, INTR),
    CALL(epoll_pwait, NOWHERE, INTR),
    CALL(nanosleep, NOWHERE, INTR),
    CALL(clock_nanosleep, NOWHERE, INTR),
    CALL(getrandom, NOWHERE, INTR),
    CALL(getxattr, PATH0, IO),
    CALL(fgetxattr, FD0, IO),
    CALL(fsetxattr, FD0, SPC | IO),
    CALL(fadvise64, FD0, 0),
    /* Only to be named when they are the last of a killed command. */
    CALL(rt_sigaction, NOWHERE, 0),
    CALL(rt_sigprocmask, NOWHERE, 0),
    CALL(rt_sigreturn, NOWHERE, 0),
    CALL(sched_getaffinity, NOWHERE, 0),
    CALL(sched_yield, NOWHERE, 0),
    CALL(set_robust_list, NOWHERE, 0),
    CALL(rseq, NOWHERE, 0),
    CALL(prlimit64, NOWHERE, 0),
    CALL(uname, NOWHERE, 0),
    CALL(umask, NOWHERE, 0),
    CALL(getpid, NOWHERE, 0),
    CALL(gettid, NOWHERE, 0),
    CALL(geteuid, NOWHERE, 0),
    CALL(sysinfo, NOWHERE, 0),
    CALL(exit, NOWHERE, 0),
    CALL(exit_group, NOWHERE, 0),
#undef CALL
};

static const struct call *find_call(long number) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

/* ---- the command ---- */

static struct {
    bool kills;
    int error;          /* the number, */
    unsigned error_bit; /* and how it is called in the table */
    long wanted;
    bool onwards; /* not only that call, but all after it */
    const char *after, *only, *report;
    bool verbose, changes;
    char **command;
} options;

#define MAX_TASKS 1024

/* A thread of the command or of one of its children. */
struct task {
    pid_t id;
    bool fails;                        /* it is in a call that is to fail: */
    bool is_brk;                       /* brk(), */
    unsigned long long saved_argument; /* which had this argument, */
};

static struct {
    pid_t leader;
    struct task tasks[MAX_TASKS];
    size_t task_count;
    bool started; /* execve() was done */
    bool counting;
    long all, counted;  /* calls that were seen, and those of them that could be hit */
    long by_name[1024]; /* of the same: by their number */
    bool hit;           /* the N-th call was reached */
} state;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...) {
    va_list arguments;
    fputs("inject: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(STATUS_FAILED); /* and the command ends: PTRACE_O_EXITKILL */
}

static struct task *find_task(pid_t id) {
    for (size_t i = 0; i < state.task_count; i++)
        if (state.tasks[i].id == id)
            return &state.tasks[i];
    if (state.task_count == MAX_TASKS)
        die("more than %d threads", MAX_TASKS);
    state.tasks[state.task_count] = (struct task){.id = id};
    return &state.tasks[state.task_count++];
}

static void remove_task(pid_t id) {
    *find_task(id) = state.tasks[state.task_count - 1];
    state.task_count--;
}

/* ---- looking at a call ---- */

static size_t read_memory(pid_t task, uint64_t address, void *bytes, size_t size) {
    struct iovec local = {bytes, size};
    struct iovec remote = {(void *)(uintptr_t)address, size};
    ssize_t n = process_vm_readv(task, &local, 1, &remote, 1, 0);
    return n < 0 ? 0 : (size_t)n;
}

/* A string may end just before memory that cannot be read, so read page by page. */
static void read_string(pid_t task, uint64_t address, char *text, size_t size) {
    size_t length = 0;
    while (length < size - 1) {
        size_t step = 4096 - (address + length) % 4096;
        if (step > size - 1 - length)
            step = size - 1 - length;
        size_t n = read_memory(task, address + length, text + length, step);
        if (n == 0)
            break;
        const char *end = memchr(text + length, '\0', n);
        if (end)
            return;
        length += n;
    }
    text[length] = '\0';
}

static void descriptor_path(pid_t task, int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)task, fd);
    ssize_t n = readlink(link, path, size - 1);
    path[n < 0 ? 0 : n] = '\0';
}

static void path_at(pid_t task, int directory, uint64_t address, char *path, size_t size) {
    char name[PATH_MAX];
    read_string(task, address, name, sizeof name);
    path[0] = '\0';
    if (name[0] != '/' && directory != AT_FDCWD)
        descriptor_path(task, directory, path, size);
    size_t length = strlen(path);
    snprintf(path + length, size - length, "%s%s", length && name[0] ? "/" : "", name);
}

/* The path of the file that a call is on; "" if it is on none. */
static void find_path(pid_t task, const struct call *call, const uint64_t *arguments, char *path,
                      size_t size) {
    path[0] = '\0';
    switch (call ? call->where : NOWHERE) {
    case NOWHERE:
        break;
    case FD0:
        descriptor_path(task, (int)arguments[0], path, size);
        break;
    case FD4:
        descriptor_path(task, (int)arguments[4], path, size);
        break;
    case PATH0:
        path_at(task, AT_FDCWD, arguments[0], path, size);
        break;
    case PATH1:
        path_at(task, AT_FDCWD, arguments[1], path, size);
        break;
    case AT0:
        path_at(task, (int)arguments[0], arguments[1], path, size);
        break;
    case AT1:
        path_at(task, (int)arguments[1], arguments[2], path, size);
        break;
    case AT2:
        path_at(task, (int)arguments[2], arguments[3], path, size);
        break;
    }
}

static uint64_t open_flags(pid_t task, const struct call *call, const uint64_t *arguments) {
    struct open_how how = {0};
    switch (call->number) {
    case SYS_creat:
        return O_CREAT;
    case SYS_open:
        return arguments[1];
    case SYS_openat2:
        read_memory(task, arguments[2], &how, sizeof how.flags);
        return how.flags;
    default:
        return arguments[2];
    }
}

static bool is_open_for_writing(pid_t task, int fd) {
    char name[64], line[128];
    unsigned flags = 0;
    snprintf(name, sizeof name, "/proc/%d/fdinfo/%d", (int)task, fd);
    FILE *file = fopen(name, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "flags: %o", &flags) == 1)
            break;
    if (file)
        fclose(file);
    return (flags & O_ACCMODE) != O_RDONLY;
}

static bool waits_for_futex(uint64_t operation) {
    int command = (int)operation & FUTEX_CMD_MASK;
    return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
}

/* Whether a call with these arguments can return the error. */
static bool can_return(pid_t task, const struct call *call, const uint64_t *arguments,
                       unsigned error) {
    if (!call || !(call->errors & error))
        return false;
    switch (call->number) {
    case SYS_open:
    case SYS_openat:
    case SYS_openat2:
    case SYS_creat:
        return error != SPC || open_flags(task, call, arguments) & O_CREAT;
    case SYS_close:
        return error == INTR || is_open_for_writing(task, (int)arguments[0]);
    case SYS_ioctl:
        return arguments[1] == FICLONE || arguments[1] == FICLONERANGE;
    case SYS_fcntl:
        return error == MFILE ? arguments[1] == F_DUPFD || arguments[1] == F_DUPFD_CLOEXEC
                              : arguments[1] == F_SETLKW || arguments[1] == F_OFD_SETLKW;
    case SYS_flock:
        return !(arguments[1] & (LOCK_NB | LOCK_UN));
    case SYS_futex:
        return waits_for_futex(arguments[1]);
    case SYS_brk:
        return arguments[0] != 0;
    default:
        return true;
    }
}

/* Whether there may be something else in a file system after the call. What is opened, locked or
 * mapped ends with the process; what is synced is there already. */
static bool changes_files(pid_t task, const struct call *call, const uint64_t *arguments) {
    switch (call ? call->number : -1) {
    case SYS_exit_group:
    case SYS_truncate:
    case SYS_ftruncate:
        return true;
    case SYS_open:
    case SYS_openat:
    case SYS_openat2:
    case SYS_creat:
        return open_flags(task, call, arguments) & (O_CREAT | O_TRUNC);
    case SYS_close:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_syncfs:
    case SYS_sync_file_range:
        return false;
    default:
        return can_return(task, call, arguments, SPC);
    }
}

/* ---- hitting it ---- */

static void write_report(const char *text) {
    if (options.verbose)
        fprintf(stderr, "inject: %s\n", text);
    if (!options.report)
        return;
    FILE *file = fopen(options.report, "we");
    if (!file || fprintf(file, "%s\n", text) < 0 || fclose(file) != 0)
        die("cannot write %s: %s", options.report, strerror(errno));
}

static void report_hit(const struct call *call, long number, long nth, const char *path) {
    char text[2 * PATH_MAX + 128], unknown[32];
    snprintf(unknown, sizeof unknown, "system call %ld", number);
    snprintf(text, sizeof text, "%s #%ld, call %ld%s%s", call ? call->name : unknown, nth,
             state.all, *path ? ", " : "", path);
    write_report(text);
}

static void report_none(int status) {
    char text[128];
    snprintf(text, sizeof text, "none of %ld, status %d", state.counted, status);
    write_report(text);
}

static void set_register(pid_t task, size_t offset, unsigned long long value) {
    if (ptrace(PTRACE_POKEUSER, task, offset, value) < 0 && errno != ESRCH)
        die("cannot change a register: %s", strerror(errno));
}

/* No call has the number -1, so nothing is done. */
static void skip_call(pid_t task) {
    set_register(task, offsetof(struct user_regs_struct, orig_rax), (unsigned long long)-1);
}

static void kill_all(void) {
    for (size_t i = 0; i < state.task_count; i++)
        kill(state.tasks[i].id, SIGKILL);
}

/* brk() has no error: it answers where the end is, which has not moved. As if asked for that. */
static void hit_brk(struct task *task, uint64_t argument) {
    task->is_brk = true;
    task->saved_argument = argument;
    set_register(task->id, offsetof(struct user_regs_struct, rdi), 0);
}

static void hit(struct task *task, const struct call *call, const uint64_t *arguments) {
    if (options.kills) {
        skip_call(task->id);
        kill_all();
        return;
    }
    task->fails = true;
    task->is_brk = false;
    if (call->number == SYS_brk)
        hit_brk(task, arguments[0]);
    else if (call->number != SYS_close)
        skip_call(task->id);
}

static bool is_counted(pid_t task, const struct call *call, const uint64_t *arguments,
                       const char *path) {
    if (options.only && *path && !strstr(path, options.only))
        return false;
    if (options.changes)
        return changes_files(task, call, arguments);
    return options.kills || can_return(task, call, arguments, options.error_bit);
}

/* Whether this call is to be hit. */
static bool count_call(pid_t task, const struct call *call, long number,
                       const uint64_t *arguments) {
    char path[2 * PATH_MAX] = "";
    if (!state.counting && call && call->where >= PATH0) {
        find_path(task, call, arguments, path, sizeof path);
        state.counting = strstr(path, options.after) != NULL;
    }
    if (!state.counting)
        return false;
    state.all++;
    if (options.only)
        find_path(task, call, arguments, path, sizeof path);
    if (!is_counted(task, call, arguments, path))
        return false;
    long nth = number >= 0 && number < 1024 ? ++state.by_name[number] : 0;
    if (++state.counted < options.wanted)
        return false;
    if (state.counted == options.wanted) {
        state.hit = true;
        find_path(task, call, arguments, path, sizeof path);
        report_hit(call, number, nth, path);
    }
    return true;
}

static void enter_call(struct task *task, const struct __ptrace_syscall_info *info) {
    const uint64_t *arguments = (const uint64_t *)info->entry.args;
    const struct call *call = find_call((long)info->entry.nr);
    if ((!state.hit || options.onwards) &&
        count_call(task->id, call, (long)info->entry.nr, arguments))
        hit(task, call, arguments);
}

static void leave_call(struct task *task) {
    if (!task->fails)
        return;
    task->fails = false;
    if (task->is_brk)
        set_register(task->id, offsetof(struct user_regs_struct, rdi), task->saved_argument);
    else
        set_register(task->id, offsetof(struct user_regs_struct, rax),
                     (unsigned long long)-options.error);
}

/* ---- following the command ---- */

static void on_system_call(struct task *task) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->id, sizeof info, &info) < 0) {
        if (errno != ESRCH)
            die("cannot look at a system call: %s", strerror(errno));
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        enter_call(task, &info);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        leave_call(task);
    }
}

/* Let a stopped task go on; up to its next system call if that is still of interest. */
static void go_on(const struct task *task, int signal_number) {
    bool finished = state.hit && !options.onwards && !task->fails;
    if (ptrace(finished ? PTRACE_CONT : PTRACE_SYSCALL, task->id, 0, signal_number) < 0 &&
        errno != ESRCH)
        die("cannot go on: %s", strerror(errno));
}

static void on_stop(struct task *task, int status) {
    int signal_number = WSTOPSIG(status), event = status >> 16;
    if (signal_number == (SIGTRAP | 0x80)) {
        on_system_call(task);
        signal_number = 0;
    } else if (event == PTRACE_EVENT_STOP && signal_number != SIGTRAP) {
        ptrace(PTRACE_LISTEN, task->id, 0, 0); /* stopped as by ^Z */
        return;
    } else if (event) {
        state.started = state.started || event == PTRACE_EVENT_EXEC;
        signal_number = 0;
    }
    if (state.hit && options.kills)
        kill(task->id, SIGKILL); /* a child that was not there yet when the others were killed */
    go_on(task, signal_number);
}

static int exit_status(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Returns the command's exit status, when nothing is left of it. */
static int follow(void) {
    int result = STATUS_FAILED;
    while (state.task_count > 0) {
        int status;
        pid_t task = waitpid(-1, &status, __WALL);
        if (task < 0 && errno == EINTR)
            continue;
        if (task < 0)
            break;
        if (WIFSTOPPED(status)) {
            on_stop(find_task(task), status);
            continue;
        }
        remove_task(task);
        if (task == state.leader)
            result = exit_status(status);
    }
    return result;
}

/* The child waits until it is being traced. Its first traced call is what follows execve(). */
static void start(void) {
    int ready[2];
    char byte;
    if (pipe2(ready, O_CLOEXEC) < 0)
        die("pipe: %s", strerror(errno));
    state.leader = fork();
    if (state.leader < 0)
        die("fork: %s", strerror(errno));
    if (state.leader == 0) {
        close(ready[1]);
        while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
            ;
        execvp(options.command[0], options.command);
        die("cannot run %s: %s", options.command[0], strerror(errno));
    }
    const long follow_all = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE |
                            PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, state.leader, 0, follow_all) < 0)
        die("ptrace: %s", strerror(errno));
    find_task(state.leader);
    close(ready[0]);
    close(ready[1]);
}

/* ---- the command line ---- */

static void usage(void) __attribute__((noreturn));

static void usage(void) {
    fputs(
        "Usage: inject [--after STRING] [--only STRING] [--changes] [--report FILE] [-v] kill N -- "
        "COMMAND...\n"
        "       inject [OPTION]... error ENOSPC|EIO|EMFILE|ENOMEM|EINTR|ECONNRESET N[+] -- "
        "COMMAND...\n",
        stderr);
    exit(STATUS_FAILED);
}

static void set_error(const char *name) {
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(errors[i].name, name) == 0) {
            options.error = errors[i].number;
            options.error_bit = errors[i].bit;
            return;
        }
    usage();
}

static char **parse_options(char **word) {
    for (; *word && (*word)[0] == '-'; word++) {
        const char **value = strcmp(*word, "--after") == 0    ? &options.after
                             : strcmp(*word, "--only") == 0   ? &options.only
                             : strcmp(*word, "--report") == 0 ? &options.report
                                                              : NULL;
        if (value && word[1])
            *value = *++word;
        else if (strcmp(*word, "-v") == 0)
            options.verbose = true;
        else if (strcmp(*word, "--changes") == 0)
            options.changes = true;
        else
            usage();
    }
    return word;
}

static void parse(char **word) {
    char *end;
    word = parse_options(word);
    if (*word && strcmp(*word, "kill") == 0)
        options.kills = true;
    else if (*word && strcmp(*word, "error") == 0 && word[1])
        set_error(*++word);
    else
        usage();
    word++;
    if (!word[0] || !word[1] || strcmp(word[1], "--") != 0 || !word[2])
        usage();
    options.wanted = strtol(word[0], &end, 10);
    options.onwards = strcmp(end, "+") == 0 && !options.kills;
    if ((*end && !options.onwards) || options.wanted < 1)
        usage();
    options.command = word + 2;
}

int main(int argc, char **argv) {
    (void)argc;
    parse(argv + 1);
    state.counting = options.after == NULL;
    start();
    int status = follow();
    if (state.hit || !state.started)
        return status;
    report_none(status);
    return STATUS_NEVER_REACHED;
}

#endif
