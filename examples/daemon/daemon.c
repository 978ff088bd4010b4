/* SPDX-License-Identifier: MIT */
/*
 * A daemon that runs VMs, to begin your own with.
 *
 *     volt-daemon STORE VMS RUN
 *
 * STORE is the root of a store, VMS has a document <name>.json for each VM, and in RUN, an absolute
 * path, each VM gets a directory <name> for its sockets. All are started; when one ends, it is
 * told. SIGTERM and SIGINT shut all of them down in order. When none is left, the daemon ends, too.
 * Descriptors that documents name must be open when the daemon starts.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#define SHUTDOWN_TIME 60000 /* milliseconds */

struct guest {
    char name[NAME_MAX + 1]; /* that of the document, without .json */
    char qmp_socket[PATH_MAX];
    vqemu_command *command;
    pid_t pid; /* 0 where it does not run */
    pthread_t thread;
    bool is_deaf; /* QEMU did not do what it was asked to by QMP */
};

struct daemon {
    const char *documents, *sockets;
    vqemu_host *host;
    vqemu_store *store;
    struct guest *guests;
    size_t count, running, failed;
};

static void complain(const char *who, vqemu_error *error) {
    fprintf(stderr, "%s: %s\n", who, vqemu_error_message(error));
    vqemu_error_free(error);
}

/* ---- from a document to a process ---- */

static int choose(const struct daemon *daemon, const vqemu_vm *vm, vqemu_selection **selection,
                  vqemu_error **error) {
    vqemu_request *request = NULL;
    int r = vqemu_request_new(&request, error);
    if (r == 0)
        r = vqemu_request_set_vm(request, vm, error);
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
    snprintf(guest->qmp_socket, PATH_MAX, "%s/%s/daemon.sock", daemon->sockets, guest->name);
    int r = vqemu_vm_from_file(document, 0, &vm, error);
    if (r == 0)
        r = vqemu_vm_set_string(vm, VQEMU_KEY_RUNTIME_DIR, directory, error);
    if (r == 0)
        r = vqemu_vm_set_string(vm, VQEMU_KEY_QMP_SOCKET, guest->qmp_socket, error);
    if (r == 0)
        r = choose(daemon, vm, &selection, error);
    if (r == 0)
        r = vqemu_resolve(daemon->store, selection, NULL, 0, NULL, &runtime, error);
    if (r == 0)
        r = vqemu_command_build(runtime, vm, 0, &guest->command, error);
    if (r == 0)
        r = vqemu_prepare(guest->command, 0, NULL, error);
    vqemu_runtime_unref(runtime); /* the command keeps it, and with it the lease on the profile */
    vqemu_selection_free(selection);
    vqemu_vm_free(vm);
    return r;
}

static _Noreturn void give_up(const char *what, int code) {
    dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(code));
    _exit(127);
}

/*
 * In the child: becomes QEMU. Whatever the daemon and the library have opened is close-on-exec, so
 * a descriptor that is not was open before, and may be meant by a document.
 */
static _Noreturn void execute(const vqemu_command *command) {
    size_t count = vqemu_command_fd_count(command);
    for (size_t i = 0; i < count; i++)
        if (fcntl(vqemu_command_fd_at(command, i), F_GETFD) != 0)
            give_up("a descriptor that the VM names", EBADF);
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        give_up("close_range", errno);
    for (size_t i = 0; i < count; i++)
        fcntl(vqemu_command_fd_at(command, i), F_SETFD, 0);
    fcntl(vqemu_runtime_lease_fd(vqemu_command_runtime(command)), F_SETFD, 0);
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid(); /* Ctrl-C is for the daemon */
    if (chdir(vqemu_command_cwd(command)) < 0)
        give_up(vqemu_command_cwd(command), errno);
    execve(vqemu_command_path(command), vqemu_command_argv(command), vqemu_command_envp(command));
    give_up(vqemu_command_path(command), errno);
}

static void start(struct daemon *daemon, struct guest *guest) {
    vqemu_error *error = NULL;
    if (plan(daemon, guest, &error) < 0) {
        complain(guest->name, error);
        vqemu_command_unref(guest->command);
        daemon->failed++;
        return;
    }
    guest->pid = fork();
    if (guest->pid == 0)
        execute(guest->command);
    if (guest->pid < 0)
        exit((perror("fork"), EXIT_FAILURE));
    daemon->running++;
    printf("%s: started, process %d\n", guest->name, (int)guest->pid);
}

static int is_document(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return *entry->d_name != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static void start_all(struct daemon *daemon) {
    struct dirent **documents;
    int count = scandir(daemon->documents, &documents, is_document, alphasort);
    if (count < 0)
        exit((perror(daemon->documents), EXIT_FAILURE));
    daemon->guests = calloc((size_t)count + 1, sizeof *daemon->guests);
    for (daemon->count = 0; daemon->guests && daemon->count < (size_t)count; daemon->count++) {
        struct guest *guest = &daemon->guests[daemon->count];
        char *name = documents[daemon->count]->d_name;
        memcpy(guest->name, name, strlen(name) - strlen(".json"));
        start(daemon, guest);
        free(documents[daemon->count]);
    }
    free(documents);
}

/* ---- the end ---- */

static void reap(struct daemon *daemon) {
    for (struct guest *guest = daemon->guests; guest < daemon->guests + daemon->count; guest++) {
        int status;
        if (guest->pid <= 0 || waitpid(guest->pid, &status, WNOHANG) <= 0)
            continue;
        printf(WIFSIGNALED(status) ? "%s: killed by signal %d\n" : "%s: ended with status %d\n",
               guest->name, WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        daemon->failed += status != 0;
        daemon->running--;
        guest->pid = 0;
        vqemu_command_unref(guest->command);
        guest->command = NULL;
    }
}

static void *shut_down(void *userdata) {
    struct guest *guest = userdata;
    vqemu_monitor *monitor = NULL;
    vqemu_error *error = NULL;
    int32_t end = 0;
    int r = vqemu_monitor_open(guest->qmp_socket, 0, NULL, &monitor, &error);
    if (r == 0)
        r = vqemu_monitor_shut_down(monitor, SHUTDOWN_TIME, 0, NULL, &end, &error);
    guest->is_deaf = r < 0;
    if (r < 0)
        complain(guest->name, error);
    if (end == VQEMU_SHUTDOWN_FORCED)
        fprintf(stderr, "%s: the guest did not switch itself off\n", guest->name);
    vqemu_monitor_free(monitor);
    return NULL;
}

/* All at once, each in its time. No other thread reaps, so what has a pid here is still a child. */
static void shut_all_down(struct daemon *daemon) {
    struct guest *end = daemon->guests + daemon->count;
    for (struct guest *guest = daemon->guests; guest < end; guest++)
        if (guest->pid > 0 && pthread_create(&guest->thread, NULL, shut_down, guest) != 0)
            exit((perror("pthread_create"), EXIT_FAILURE));
    for (struct guest *guest = daemon->guests; guest < end; guest++)
        if (guest->pid > 0 && pthread_join(guest->thread, NULL) == 0 && guest->is_deaf)
            kill(guest->pid, SIGTERM); /* QEMU writes out its disks then, too */
}

int main(int argc, char **argv) {
    vqemu_error *error = NULL;
    struct signalfd_siginfo signal;
    sigset_t signals;
    if (argc != 4)
        return fputs("Usage: volt-daemon STORE VMS RUN\n", stderr), 2;
    struct daemon daemon = {.documents = argv[2], .sockets = argv[3]};
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* also for the threads */
    int events = signalfd(-1, &signals, SFD_CLOEXEC);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (vqemu_host_probe(0, &daemon.host, &error) < 0 ||
        vqemu_store_open_root(argv[1], 0, &daemon.store, &error) < 0)
        return complain("volt-daemon", error), EXIT_FAILURE;
    start_all(&daemon);
    while (daemon.running > 0 && read(events, &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo != SIGCHLD)
            shut_all_down(&daemon);
        reap(&daemon);
    }
    free(daemon.guests);
    vqemu_store_unref(daemon.store);
    vqemu_host_free(daemon.host);
    return daemon.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
