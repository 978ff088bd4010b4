/* SPDX-License-Identifier: MIT */
/* What the library owes the process that it is in: its children, descriptors, signals and umask. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "choice/selection.h"
#include "command/command.h"
#include "fixture.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"
#include "vm/vm.h"

/* ---- children ---- */

/* What malloc() has locked at the fork is free again in the child with the C library's, not with
 * this sanitizer's. */
#ifdef __SANITIZE_ADDRESS__
enum { CHILDREN = 300, RESOLVERS = 0 };
#else
enum { CHILDREN = 300, RESOLVERS = 4 };
#endif

static vqemu_store *shared;
static atomic_bool stop;

static void *resolve_until_stopped(void *selection) {
    while (!stop) {
        vqemu_runtime *runtime = NULL;
        ck_assert_int_eq(vqemu_resolve(shared, selection, NULL, 0, NULL, &runtime, NULL), 0);
        vqemu_runtime_unref(runtime);
    }
    return NULL;
}

/* In a child: whatever was locked at the fork stays so, in Check as well, which is not asked. The
 * exit status is 0 if all was refused. */
static int use_all(const vqemu_selection *selection, vqemu_revision *revision) {
    vqemu_error *error = NULL;
    vqemu_revision *found = NULL;
    vqemu_revision_list *revisions = NULL;
    vqemu_profile_list *profiles = NULL;
    vqemu_runtime *runtime = NULL;
    vqemu_ingest *result = NULL;
    vqemu_check *check = NULL;
    vqemu_collection *collection = NULL;
    const int codes[] = {
        vqemu_resolve(shared, selection, NULL, 0, NULL, &runtime, &error),
        vqemu_store_find_revision(shared, "emulate-x86", 0, NULL, &found, NULL),
        vqemu_store_list_revisions(shared, NULL, 0, NULL, &revisions, NULL),
        vqemu_store_list_profiles(shared, 0, NULL, &profiles, NULL),
        vqemu_store_import(shared, 0, NULL, NULL, VQEMU_IMPORT_ANY_PROFILE, NULL, &result, NULL),
        vqemu_store_export(shared, revision, 1, NULL, 0, NULL, NULL),
        vqemu_store_copy(shared, revision, shared, 0, NULL, &result, NULL),
        vqemu_store_check(shared, NULL, 0, NULL, NULL, &check, NULL),
        vqemu_store_collect(shared, NULL, 0, NULL, &collection, NULL),
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] != VQEMU_ERR_USAGE)
            return 1 + (int)i;
    if (strcmp(vqemu_error_reason(error), "forked") != 0)
        return 100;
    vqemu_error_free(error);
    vqemu_store_unref(shared);
    return 0;
}

START_TEST(a_handle_is_refused_in_a_child_and_never_hangs) {
    shared = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *revision = build(shared, NULL);
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    pthread_t threads[RESOLVERS + 1];
    for (int i = 0; i < RESOLVERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, resolve_until_stopped, selection), 0);
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        if (child == 0) {             /* nor may it use Check, which has locks, too */
            signal(SIGALRM, SIG_DFL); /* Check has a handler */
            alarm(20);
            _exit(use_all(selection, revision));
        }
        int status;
        ck_assert_int_gt(child, 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(status == 0, "child %d: 0x%x", i, (unsigned)status);
    }
    stop = true;
    for (int i = 0; i < RESOLVERS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    vqemu_runtime_unref(resolve(shared, 0));
    vqemu_store_unref(shared);
}
END_TEST

/* ---- descriptors ---- */

static bool standard_descriptors_are_closed(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) != -1)
            return false;
    return true;
}

/* While another thread opens a file, they are held by what nobody can write to. */
static int look(const vqemu_progress *progress, void *userdata) {
    (void)progress;
    ++*(int *)userdata;
    for (int fd = 0; fd <= 2; fd++) {
        int flags = fcntl(fd, F_GETFL);
        if (flags != -1 && !(flags & O_PATH))
            return 1;
    }
    return 0;
}

static int prepare_vm(vqemu_runtime *runtime) {
    _cleanup_free_ char *state = scratch_path("vm/state"), *run = scratch_path("vm/run");
    _cleanup_command_ vqemu_command *command = NULL;
    vqemu_vm *vm = NULL;
    int r = vqemu_vm_new("x", &vm, NULL);
    if (r == 0)
        r = vqemu_vm_set_string(vm, "state_dir", state, NULL);
    if (r == 0)
        r = vqemu_vm_set_string(vm, "firmware", "bios", NULL);
    if (r == 0)
        r = vqemu_vm_set_string(vm, "runtime_dir", run, NULL);
    if (r == 0)
        r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, NULL);
    if (r == 0)
        r = vqemu_prepare(command, 0, NULL, NULL);
    vqemu_vm_free(vm);
    return r;
}

/* Returns the line that failed; 0 if none did. Nothing may be printed here. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        if (!(expression))                                                                         \
            return __LINE__ % 250;                                                                 \
    } while (0)

static int work_without_standard_descriptors(const char *archive, const char *other_root) {
    int calls = 0;
    vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    vqemu_call *call = make_watched_call(look, &calls);
    vqemu_store *store = NULL, *other = NULL;
    vqemu_ingest *result = NULL, *imported = NULL, *copied = NULL;
    vqemu_runtime *runtime = NULL;
    vqemu_check *check = NULL;
    _cleanup_free_ char *root = scratch_path("store");
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    TRY(vqemu_store_open_root(root, VQEMU_STORE_CREATE, &store, NULL) == 0);
    TRY(store->objects_fd > 2 && store->refs_fd > 2);
    TRY(ingest(store, call, &result, NULL) == 0);
    TRY(vqemu_resolve(store, selection, NULL, 0, call, &runtime, NULL) == 0);
    TRY(vqemu_runtime_lease_fd(runtime) > 2);
    int fd = fd_above_stdio(open(archive, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    vqemu_revision *revision = vqemu_ingest_revision(result);
    TRY(vqemu_store_export(store, revision, fd, NULL, 0, call, NULL) == 0);
    TRY(lseek(fd, 0, SEEK_SET) == 0);
    TRY(vqemu_store_open_root(other_root, VQEMU_STORE_CREATE, &other, NULL) == 0);
    TRY(vqemu_store_import(other, fd, NULL, NULL, VQEMU_IMPORT_ANY_PROFILE, call, &imported,
                           NULL) == 0);
    TRY(vqemu_store_copy(store, revision, other, 0, call, &copied, NULL) == 0);
    TRY(vqemu_store_check(store, NULL, 0, NULL, call, &check, NULL) == 0);
    TRY(prepare_vm(runtime) == 0);
    TRY(standard_descriptors_are_closed());
    TRY(calls >= 6);
    return 0;
}

START_TEST(no_descriptor_is_a_standard_one) {
    _cleanup_free_ char *archive = scratch_path("archive.tar"), *other = scratch_path("other");
    pid_t child = fork();
    if (child == 0)
        _exit(work_without_standard_descriptors(archive, other));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "failed in line %d (modulo 250)", WEXITSTATUS(status));
}
END_TEST

static void *log_until_stopped(void *hits) {
    while (!stop)
        for (int fd = 0; fd <= 2; fd++)
            if (write(fd, "a line of a log\n", 16) > 0)
                ++*(unsigned long *)hits;
    return NULL;
}

static int open_and_close(void) {
    for (int i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof name, "written-%d-%d", i, gettid());
        int fd = i % 2 ? open_at(scratch_fd, name, O_WRONLY | O_CREAT | O_EXCL, 0644)
                       : create_at(scratch_fd, name, O_RDWR, 0644);
        TRY(fd > 2);
        close(fd);
        fd = open_beneath(scratch_fd, name, O_WRONLY, false);
        TRY(fd > 2);
        close(fd);
        unlinkat(scratch_fd, name, 0);
    }
    return 0;
}

static void *open_in_thread(void *failed) {
    *(int *)failed = open_and_close();
    return NULL;
}

static int work_beside_a_logger(void) {
    unsigned long hits = 0;
    int failed[2] = {0};
    pthread_t logger, openers[2];
    _cleanup_free_ char *root = scratch_path("store");
    vqemu_store *store = NULL;
    vqemu_ingest *result = NULL;
    vqemu_check *check = NULL;
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    stop = false;
    TRY(pthread_create(&logger, NULL, log_until_stopped, &hits) == 0);
    TRY(vqemu_store_open_root(root, VQEMU_STORE_CREATE, &store, NULL) == 0);
    TRY(ingest(store, NULL, &result, NULL) == 0);
    for (int i = 0; i < 2; i++)
        TRY(pthread_create(&openers[i], NULL, open_in_thread, &failed[i]) == 0);
    for (int i = 0; i < 2; i++)
        TRY(pthread_join(openers[i], NULL) == 0 && failed[i] == 0);
    stop = true;
    TRY(pthread_join(logger, NULL) == 0);
    TRY(hits == 0);
    TRY(vqemu_store_check(store, NULL, 0, NULL, NULL, &check, NULL) == 0);
    TRY(vqemu_check_problem_count(check) == 0);
    TRY(standard_descriptors_are_closed());
    return 0;
}

/* What a thread logs to a standard error that is closed goes nowhere, never into a file. */
START_TEST(what_others_write_to_closed_descriptors_gets_into_no_file) {
    pid_t child = fork();
    if (child == 0)
        _exit(work_beside_a_logger());
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "failed in line %d (modulo 250)", WEXITSTATUS(status));
}
END_TEST

/* ---- SIGPIPE ---- */

static void export_fails(vqemu_store *store, vqemu_revision *revision, int fd) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_store_export(store, revision, fd, NULL, 0, NULL, &error),
                     VQEMU_ERR_SYSTEM);
    ck_assert_int_eq(vqemu_error_errno(error), EPIPE);
}

static bool sigpipe_is_pending(void) {
    sigset_t pending;
    ck_assert_int_eq(sigpending(&pending), 0);
    return sigismember(&pending, SIGPIPE) == 1;
}

START_TEST(a_reader_that_is_gone_is_an_error_and_no_signal) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    int pipe_fds[2], socket_fds[2];
    sigset_t sigpipe, before, after;
    signal(SIGPIPE, SIG_DFL);
    ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socket_fds), 0);
    close(pipe_fds[0]);
    close(socket_fds[0]);
    export_fails(store, revision, pipe_fds[1]);
    export_fails(store, revision, socket_fds[1]);
    ck_assert(!sigpipe_is_pending());
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    ck_assert_int_eq(sigismember(&after, SIGPIPE), 0);

    /* One that was there before is not the library's to take. */
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &sigpipe, &before), 0);
    ck_assert_int_eq(raise(SIGPIPE), 0);
    export_fails(store, revision, pipe_fds[1]);
    ck_assert(sigpipe_is_pending());
    close(pipe_fds[1]);
    close(socket_fds[1]);
}
END_TEST

/* ---- umask ---- */

static int check_mode(int directory_fd, const char *name, void *userdata) {
    struct stat status;
    ck_assert_int_eq(fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW), 0);
    ++*(int *)userdata;
    mode_t mode = status.st_mode & 07777;
    if (S_ISDIR(status.st_mode)) {
        ck_assert_msg(mode == 0755, "%s: %o", name, mode);
        return for_each_entry(directory_fd, name, check_mode, userdata);
    }
    if (S_ISREG(status.st_mode))
        ck_assert_msg(mode == 0644 || mode == 0444 || mode == 0555, "%s: %o", name, mode);
    return 0;
}

START_TEST(the_umask_decides_no_mode) {
    static const mode_t masks[] = {0077, 0000, 0027};
    mode_t before = umask(masks[_i]);
    _cleanup_free_ char *root = scratch_path("deep/down/store");
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    _cleanup_runtime_ vqemu_runtime *runtime = NULL, *again = NULL;
    int seen = 0;
    ck_assert_int_eq(vqemu_store_open_root(root, VQEMU_STORE_CREATE, &store, NULL), 0);
    write_file("profile/lib/also-a-program", "#!/bin/sh\necho x86_64\n", 0644);
    ck_assert_int_eq(ingest(store, NULL, &result, NULL), 0);
    usleep(150000); /* so that the newest revision is remembered */
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, NULL, &runtime, NULL), 0);
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, NULL, &again, NULL), 0);
    umask(before);
    ck_assert_uint_eq(umask(before), before);
    ck_assert(exists("deep/down/store/cas/cache/newest-emulate-x86"));
    ck_assert_int_eq(check_mode(scratch_fd, "deep", &seen), 0);
    ck_assert_int_ge(seen, 20);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("process");
    TCase *tests = tcase_create("process");
    tcase_add_checked_fixture(tests, make_scratch, remove_scratch);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_handle_is_refused_in_a_child_and_never_hangs);
    tcase_add_test(tests, no_descriptor_is_a_standard_one);
    tcase_add_test(tests, what_others_write_to_closed_descriptors_gets_into_no_file);
    tcase_add_test(tests, a_reader_that_is_gone_is_an_error_and_no_signal);
    tcase_add_loop_test(tests, the_umask_decides_no_mode, 0, 3);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
