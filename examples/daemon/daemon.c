/* SPDX-License-Identifier: MIT */
/*
 * A daemon that runs VMs, to begin your own with.
 *
 *     volt-daemon STORE VMS RUN [STATE]
 *
 * STORE is the root of a store, VMS has a document <name>.json for each VM, and in RUN, an absolute
 * path, each VM gets a directory <name> for its sockets. All are started; when one ends, it is
 * told. When none is left, the daemon ends, too. In STATE it notes what it started: if it is killed
 * and started again, it finds the VMs that went on without it.
 *
 * SIGTERM and SIGINT end the starting of VMs, and shut those that run down in order; a second one
 * has no patience with them. Descriptors that documents name by number must be open when the daemon
 * starts; those that they name by name (fd_name) are the service manager's: see FileDescriptorName=
 * in systemd.socket(5).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

/* Milliseconds. */
#define START_TIME 600000   /* for all VMs together */
#define SHUTDOWN_TIME 60000 /* for a guest to switch itself off */
#define KILL_TIME 5000      /* for a QEMU that got SIGTERM to write out its disks */

struct guest {
    char name[NAME_MAX + 1]; /* that of the document, without .json */
    char qmp_socket[PATH_MAX], note[PATH_MAX];
    vqemu_command *command;
    pid_t pid; /* 0 where it does not run */
    int pidfd;
    bool is_child; /* otherwise an earlier daemon has started it */
    bool is_stopping;
    pthread_t stopper;
    vqemu_call *ending; /* the daemon's */
};

struct daemon {
    const char *documents, *sockets, *state;
    vqemu_host *host;
    vqemu_store *store;
    vqemu_call *ending;
    struct guest *guests;
    size_t count, running, failed;
};

/* What all VMs are started with. A signal handler must reach it. */
static vqemu_call *starting;

static void give_up_starting(int signal) {
    (void)signal;
    vqemu_call_cancel(starting);
}

static void complain(const char *who, vqemu_error *error) {
    fprintf(stderr, "%s: %s\n", who, vqemu_error_message(error));
    vqemu_error_free(error);
}

/* ---- from a document to a command ---- */

static int choose(const struct daemon *daemon, const vqemu_vm *vm, vqemu_selection **selection,
                  vqemu_error **error) {
    vqemu_request *request = NULL;
    int r = vqemu_request_new(&request, error);
    if (r == 0)
        r = vqemu_request_set_vm(request, vm, 0, error);
    if (r == 0)
        r = vqemu_request_set_store(request, daemon->store, 0, starting, error);
    if (r == 0)
        r = vqemu_select(daemon->host, request, 0, selection, error);
    vqemu_request_free(request);
    return r;
}

/* Puts the profile that fits on disk, and finds the command that runs the VM on it. */
static int plan(const struct daemon *daemon, struct guest *guest, vqemu_error **error) {
    vqemu_vm *vm = NULL;
    vqemu_selection *selection = NULL;
    vqemu_runtime *runtime = NULL;
    char document[PATH_MAX], directory[PATH_MAX];
    snprintf(document, sizeof document, "%s/%s.json", daemon->documents, guest->name);
    snprintf(directory, sizeof directory, "%s/%s", daemon->sockets, guest->name);
    int r = vqemu_vm_from_file(document, 0, &vm, error);
    if (r == 0)
        r = vqemu_vm_set_string(vm, VQEMU_KEY_RUNTIME_DIR, directory, error);
    if (r == 0)
        r = vqemu_vm_set_string(vm, VQEMU_KEY_QMP_SOCKET, guest->qmp_socket, error);
    if (r == 0)
        r = choose(daemon, vm, &selection, error);
    if (r == 0)
        r = vqemu_resolve(daemon->store, selection, NULL, 0, starting, &runtime, error);
    if (r == 0)
        r = vqemu_command_build(runtime, vm, NULL, 0, starting, &guest->command, error);
    if (r == 0)
        r = vqemu_prepare(guest->command, 0, starting, error);
    vqemu_runtime_unref(runtime); /* the command keeps it, and with it the lease on the profile */
    vqemu_selection_free(selection);
    vqemu_vm_free(vm);
    return r;
}

/* ---- from a command to a process ---- */

static _Noreturn void give_up(const char *what, int code) {
    dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(code));
    _exit(127);
}

/* The number of a descriptor that the service manager gave a name: see sd_listen_fds_with_names(3).
 * -1 if there is none. */
static int find_named(const char *name) {
    const char *names = getenv("LISTEN_FDNAMES");
    size_t length = strlen(name);
    for (int fd = STDERR_FILENO + 1; names && *names; fd++) {
        size_t next = strcspn(names, ":");
        if (next == length && strncmp(names, name, length) == 0)
            return fd;
        names += names[next] == ':' ? next + 1 : next;
    }
    return -1;
}

/*
 * Out of the way of all numbers of the command. Whatever the daemon and the library have opened is
 * close-on-exec, so a descriptor that is not was open before, and may be meant by a document.
 */
static int move_above(int fd, int above) {
    int moved = fcntl(fd, F_GETFD) == 0 ? fcntl(fd, F_DUPFD_CLOEXEC, above) : -1;
    if (moved < 0)
        give_up("a descriptor that the VM names", EBADF);
    return moved;
}

/* In the parent: where the VM's descriptors are now, in the command's order. NULL without memory.
 */
static int *find_descriptors(const vqemu_command *command) {
    size_t count = vqemu_command_fd_count(command);
    int *found = calloc(count + 1, sizeof *found);
    for (size_t i = 0; found && i < count; i++) {
        const char *name = vqemu_command_fd_name(command, i);
        found[i] = name ? find_named(name) : vqemu_command_fd_at(command, i);
    }
    return found;
}

/* The VM's descriptors under the numbers of the command, the lease, and nothing else. */
static void pass_on(const vqemu_command *command, int *fds) {
    size_t count = vqemu_command_fd_count(command);
    int above = STDERR_FILENO + 1;
    for (size_t i = 0; i < count; i++)
        if (vqemu_command_fd_at(command, i) >= above)
            above = vqemu_command_fd_at(command, i) + 1;
    for (size_t i = 0; i < count; i++)
        fds[i] = move_above(fds[i], above);
    int lease = fcntl(vqemu_runtime_lease_fd(vqemu_command_runtime(command)), F_DUPFD, above);
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        give_up("close_range", errno);
    fcntl(lease, F_SETFD, 0);
    for (size_t i = 0; i < count; i++)
        if (dup2(fds[i], vqemu_command_fd_at(command, i)) < 0)
            give_up("a descriptor that the VM names", errno);
}

/* In the child: becomes QEMU. The functions of the library that are called here may be. */
static _Noreturn void execute(const vqemu_command *command, int *fds) {
    pass_on(command, fds);
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);

    sigset_t none;
    sigemptyset(&none);
    signal(SIGTERM, SIG_DFL); /* before the first can come in, which must not be lost */
    signal(SIGINT, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();   /* Ctrl-C is for the daemon */
    umask(077); /* QEMU's sockets and logs are for nobody else */
    if (chdir(vqemu_command_cwd(command)) < 0)
        give_up(vqemu_command_cwd(command), errno);
    execve(vqemu_command_path(command), vqemu_command_argv(command), vqemu_command_envp(command));
    give_up(vqemu_command_path(command), errno);
}

static void watch(struct daemon *daemon, struct guest *guest, pid_t pid, bool is_child) {
    guest->pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
    if (guest->pidfd < 0)
        exit((perror("pidfd_open"), EXIT_FAILURE));
    guest->pid = pid;
    guest->is_child = is_child;
    daemon->running++;
    printf("%s: %s, process %d\n", guest->name, is_child ? "started" : "found again", (int)pid);
}

static void launch(struct daemon *daemon, struct guest *guest) {
    sigset_t all, before;
    int *fds = find_descriptors(guest->command);
    if (!fds)
        exit((perror("descriptors"), EXIT_FAILURE));
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* until the child has not our handlers any more */
    pid_t pid = fork();
    if (pid == 0)
        execute(guest->command, fds);
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(fds);
    if (pid < 0)
        exit((perror("fork"), EXIT_FAILURE));
    watch(daemon, guest, pid, true);
}

/* ---- from one daemon to the next ---- */

/* Notes the command in a file that is whole or not there. */
static int remember(const struct guest *guest, vqemu_error **error) {
    char *text = NULL, new[PATH_MAX + 8];
    int r = vqemu_command_save(guest->command, 0, &text, error);
    if (r < 0)
        return r;
    snprintf(new, sizeof new, "%s.new", guest->note);
    int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0 || rename(new, guest->note) != 0)
        fprintf(stderr, "%s: %s: %s\n", guest->name, guest->note, strerror(errno));
    vqemu_free(text);
    return 0; /* it can run without */
}

/* Makes the command of a note again, and with it the lease on the profile of a VM that runs. */
static int recall(struct guest *guest, vqemu_error **error) {
    char text[1 << 16];
    FILE *file = fopen(guest->note, "re");
    size_t size = file ? fread(text, 1, sizeof text, file) : 0;
    if (file)
        fclose(file);
    return vqemu_command_load(text, size, guest->note, 0, starting, &guest->command, error);
}

/* Whether it runs already, or that cannot be told: then it must not be started again. */
static bool is_there(struct daemon *daemon, struct guest *guest) {
    vqemu_monitor *monitor = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_monitor_open(guest->qmp_socket, 0, starting, &monitor, &error);
    pid_t pid = (pid_t)vqemu_monitor_pid(monitor);
    vqemu_monitor_free(monitor);
    if (r == VQEMU_ERR_NOT_RUNNING)
        return vqemu_error_free(error), false;
    if (r == 0)
        r = recall(guest, &error);
    if (r == 0 && pid > 0)
        return watch(daemon, guest, pid, false), true;
    if (r == 0)
        fprintf(stderr, "%s: it runs, but where cannot be told\n", guest->name);
    else
        complain(guest->name, error);
    daemon->failed++;
    return true;
}

static void start(struct daemon *daemon, struct guest *guest) {
    vqemu_error *error = NULL;
    if (is_there(daemon, guest))
        return;
    int r = plan(daemon, guest, &error);
    if (r == 0 && *guest->note)
        r = remember(guest, &error);
    if (r == 0) {
        launch(daemon, guest);
        return;
    }
    complain(guest->name, error);
    vqemu_command_unref(guest->command);
    guest->command = NULL;
    daemon->failed++;
}

static int is_document(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return *entry->d_name != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static void name_guest(const struct daemon *daemon, struct guest *guest, const char *document) {
    memcpy(guest->name, document, strlen(document) - strlen(".json"));
    guest->ending = daemon->ending;
    snprintf(guest->qmp_socket, PATH_MAX, "%s/%s/daemon.sock", daemon->sockets, guest->name);
    if (daemon->state)
        snprintf(guest->note, PATH_MAX, "%s/%s.command", daemon->state, guest->name);
}

static void start_all(struct daemon *daemon) {
    struct dirent **documents;
    int count = scandir(daemon->documents, &documents, is_document, alphasort);
    if (count < 0)
        exit((perror(daemon->documents), EXIT_FAILURE));
    daemon->guests = calloc((size_t)count + 1, sizeof *daemon->guests);
    for (daemon->count = 0; daemon->guests && daemon->count < (size_t)count; daemon->count++) {
        struct guest *guest = &daemon->guests[daemon->count];
        name_guest(daemon, guest, documents[daemon->count]->d_name);
        start(daemon, guest);
        free(documents[daemon->count]);
    }
    free(documents);
}

/* ---- the end ---- */

static bool ends_within(const struct guest *guest, int milliseconds) {
    struct pollfd pidfd = {.fd = guest->pidfd, .events = POLLIN};
    return poll(&pidfd, 1, milliseconds) > 0;
}

/* A QEMU that does not listen to its monitor: from SIGTERM it writes out its disks, too. */
static void end_by_signals(const struct guest *guest) {
    syscall(SYS_pidfd_send_signal, guest->pidfd, SIGTERM, NULL, 0);
    if (!ends_within(guest, KILL_TIME))
        syscall(SYS_pidfd_send_signal, guest->pidfd, SIGKILL, NULL, 0);
}

/* Takes at most 30 s for the monitor, the time for the guest, 30 s for QEMU, and that to kill. */
static void *shut_down(void *userdata) {
    struct guest *guest = userdata;
    vqemu_monitor *monitor = NULL;
    vqemu_error *error = NULL;
    int32_t end = 0;
    int r = vqemu_monitor_open(guest->qmp_socket, 0, guest->ending, &monitor, &error);
    if (r == 0)
        r = vqemu_monitor_shut_down(monitor, SHUTDOWN_TIME, 0, guest->ending, &end, &error);
    if (r < 0)
        complain(guest->name, error);
    if (r < 0)
        end_by_signals(guest);
    if (end == VQEMU_SHUTDOWN_FORCED)
        fprintf(stderr, "%s: the guest did not switch itself off\n", guest->name);
    vqemu_monitor_free(monitor);
    return NULL;
}

/* All at once, each in its time. The second time they have had it. */
static void shut_all_down(struct daemon *daemon) {
    for (struct guest *guest = daemon->guests; guest < daemon->guests + daemon->count; guest++) {
        if (guest->pid == 0)
            continue;
        if (guest->is_stopping)
            vqemu_call_cancel(daemon->ending);
        else if (pthread_create(&guest->stopper, NULL, shut_down, guest) != 0)
            exit((perror("pthread_create"), EXIT_FAILURE));
        guest->is_stopping = true;
    }
}

static void tell_end(struct daemon *daemon, const struct guest *guest) {
    int status = 0;
    if (!guest->is_child) /* whose status only its parent is told */
        printf("%s: ended\n", guest->name);
    else if (waitpid(guest->pid, &status, 0) == guest->pid)
        printf(WIFSIGNALED(status) ? "%s: killed by signal %d\n" : "%s: ended with status %d\n",
               guest->name, WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    daemon->failed += status != 0;
}

static void reap(struct daemon *daemon, struct guest *guest) {
    tell_end(daemon, guest);
    if (guest->is_stopping)
        pthread_join(guest->stopper, NULL);
    if (*guest->note)
        unlink(guest->note);
    close(guest->pidfd);
    vqemu_command_unref(guest->command);
    guest->command = NULL;
    guest->pid = 0;
    daemon->running--;
}

static void wait_for_all(struct daemon *daemon, int signals) {
    struct pollfd *events = calloc(daemon->count + 1, sizeof *events);
    struct signalfd_siginfo signal;
    while (events && daemon->running > 0) {
        for (size_t i = 0; i < daemon->count; i++)
            events[i] = (struct pollfd){.fd = daemon->guests[i].pid ? daemon->guests[i].pidfd : -1,
                                        .events = POLLIN};
        events[daemon->count] = (struct pollfd){.fd = signals, .events = POLLIN};
        if (poll(events, daemon->count + 1, -1) < 0)
            exit((perror("poll"), EXIT_FAILURE));
        if (events[daemon->count].revents && read(signals, &signal, sizeof signal) > 0)
            shut_all_down(daemon);
        for (size_t i = 0; i < daemon->count; i++)
            if (events[i].revents)
                reap(daemon, &daemon->guests[i]);
    }
    free(events);
}

static int open_all(struct daemon *daemon, const char *root, vqemu_error **error) {
    int r = vqemu_call_new(&starting, error);
    if (r == 0)
        r = vqemu_call_set_number(starting, VQEMU_CALL_DEADLINE_MS, START_TIME, error);
    if (r == 0)
        r = vqemu_call_set_number(starting, VQEMU_CALL_THREADS, 4, error);
    if (r == 0)
        r = vqemu_call_new(&daemon->ending, error);
    if (r == 0)
        r = vqemu_host_probe(0, &daemon->host, error);
    if (r == 0)
        r = vqemu_store_open_root(root, 0, &daemon->store, error);
    return r;
}

int main(int argc, char **argv) {
    vqemu_error *error = NULL;
    sigset_t signals;
    if (argc != 4 && argc != 5)
        return fputs("Usage: volt-daemon STORE VMS RUN [STATE]\n", stderr), 2;
    struct daemon daemon = {.documents = argv[2], .sockets = argv[3], .state = argv[4]};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (open_all(&daemon, argv[1], &error) < 0)
        return complain("volt-daemon", error), EXIT_FAILURE;

    const struct sigaction on_signal = {.sa_handler = give_up_starting, .sa_flags = SA_RESTART};
    sigaction(SIGTERM, &on_signal, NULL);
    sigaction(SIGINT, &on_signal, NULL);
    start_all(&daemon);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* also for the threads to come */
    int events = signalfd(-1, &signals, SFD_CLOEXEC);
    if (vqemu_call_is_cancelled(starting))
        shut_all_down(&daemon);
    wait_for_all(&daemon, events);

    close(events);
    free(daemon.guests);
    vqemu_store_unref(daemon.store);
    vqemu_host_free(daemon.host);
    vqemu_call_unref(daemon.ending);
    vqemu_call_unref(starting);
    return daemon.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
