/* SPDX-License-Identifier: MIT */
/* Who uses what: processes, leases, pins, what was set to be used, links. */
#include <volt-qemu/uses.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "upkeep/guest-name.h"
#include "util/strbuf.h"

#define PROFILE "emulate-x86"
#define NOBODY 65534

static vqemu_store *store;
static vqemu_revision *revision;

/* A program that waits as long as its standard input is open, whatever it is called. */
static void write_program(const char *path) {
    _cleanup_free_ char *full = scratch_path(path),
                        *command = format_string("cp -L /bin/sh %s && chmod 0755 %s", full, full);
    ck_assert_int_eq(system(command), 0); /* NOLINT: a test */
}

static void make_store(void) {
    make_scratch();
    write_program("profile/bin/qemu-system-x86_64");
    store = open_store(VQEMU_STORE_CREATE);
    revision = build(store, "2025-01-31T10:00:00Z");
}

static void remove_store(void) {
    vqemu_revision_unref(revision);
    vqemu_store_unref(store);
    remove_scratch();
}

static vqemu_use_list *list_uses(const char *name) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_use_list *list = NULL;
    int r = vqemu_store_list_uses(store, name, 0, NULL, &list, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return list;
}

/* The index of the first use of a kind; the count if there is none. */
static size_t find(const vqemu_use_list *list, const char *kind) {
    size_t i = 0;
    while (i < vqemu_use_list_count(list) && strcmp(vqemu_use_list_kind(list, i), kind) != 0)
        i++;
    return i;
}

static size_t count_kind(const vqemu_use_list *list, const char *kind) {
    size_t count = 0;
    for (size_t i = 0; i < vqemu_use_list_count(list); i++)
        count += strcmp(vqemu_use_list_kind(list, i), kind) == 0;
    return count;
}

static size_t count_uses(const char *name, const char *kind) {
    vqemu_use_list *list = list_uses(name);
    size_t count = count_kind(list, kind);
    vqemu_use_list_free(list);
    return count;
}

/* ---- children ---- */

struct child {
    pid_t pid;
    int to, from; /* a byte comes when it is ready; it ends when this is closed */
};

typedef void (*child_fn)(const char *program);

static struct child start(child_fn function, const char *program) {
    int to[2], from[2];
    ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        function(program);
        _exit(SKIPPED);
    }
    close(to[0]);
    close(from[1]);
    char ready;
    ssize_t n = read(from[0], &ready, 1);
    if (n == 1)
        return (struct child){pid, to[1], from[0]};
    int status;
    waitpid(pid, &status, 0);
    close(to[1]);
    close(from[0]);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED, "status %d", status);
    return (struct child){.pid = 0};
}

static void stop(const struct child *child) {
    close(child->to);
    close(child->from);
    ck_assert_int_eq(waitpid(child->pid, NULL, 0), child->pid);
}

static void run_program(const char *program) {
    execl(program, program, "-c", "echo; read line", "-name",
          "guest=volt-web,,1,process=volt-web,,1", (char *)NULL);
}

/* The same in a mount namespace where the tree has another name. */
static void run_elsewhere(const char *program) {
    _cleanup_free_ char *elsewhere = scratch_path("elsewhere"),
                        *tree =
                            strndup(program, strlen(program) - strlen("/bin/qemu-system-x86_64")),
                        *renamed = format_string("%s/bin/qemu-system-x86_64", elsewhere);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mkdir(elsewhere, 0755) < 0 || mount(tree, elsewhere, "none", MS_BIND, NULL) < 0)
        return;
    run_program(renamed);
}

/* In the tree, but not from it. */
static void stay_in_tree(const char *program) {
    _cleanup_free_ char *directory =
        strndup(program, strlen(program) - strlen("/qemu-system-x86_64"));
    if (chdir(directory) == 0)
        execl("/bin/sh", "sh", "-c", "echo; read line", "-name", "x", (char *)NULL);
}

static void hold_file(const char *program) {
    if (open(program, O_RDONLY) >= 0) /* it goes on to the program */
        execl("/bin/sh", "sh", "-c", "echo; read line", (char *)NULL);
}

/* ---- processes ---- */

/* What is told of a process that runs as the function does it, when nobody has a lease. */
static void is_told(child_fn function, const char *command, const char *vm) {
    vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *program = strdup(vqemu_runtime_binary(runtime)),
                        *tree = strdup(vqemu_runtime_digest(runtime));
    vqemu_runtime_unref(runtime);
    struct child child = start(function, program);
    if (child.pid == 0)
        return;
    vqemu_use_list *list = list_uses(NULL);
    size_t i = find(list, "process");
    ck_assert_uint_eq(count_kind(list, "process"), 1);
    ck_assert_int_eq(vqemu_use_list_pid(list, i), child.pid);
    ck_assert_str_eq(vqemu_use_list_tree_name(list, i), tree);
    ck_assert_str_eq(vqemu_use_list_revision_name(list, i), vqemu_revision_name(revision));
    ck_assert_str_eq(vqemu_use_list_process_name(list, i), command);
    ck_assert_pstr_eq(vqemu_use_list_vm_name(list, i), vm);
    ck_assert_ptr_null(vqemu_use_list_holder(list, i));
    ck_assert_uint_eq(count_kind(list, "lease"), 0);
    vqemu_use_list_free(list);
    stop(&child);
    ck_assert_uint_eq(count_uses(NULL, "process"), 0);
}

START_TEST(a_process_that_runs_from_a_tree_is_told) {
    is_told(run_program, "qemu-system-x86", "web,1");
}
END_TEST

START_TEST(also_if_it_knows_the_tree_by_another_name) {
    is_told(run_elsewhere, "qemu-system-x86", "web,1");
}
END_TEST

START_TEST(also_if_it_is_only_there) {
    is_told(stay_in_tree, "sh", NULL);
}
END_TEST

START_TEST(also_if_it_holds_a_file_open) {
    is_told(hold_file, "sh", NULL);
}
END_TEST

/* Another user may not look where root's process runs from, but what it was started with. */
static int look_as_nobody(void) {
    int result = 1;
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_use_list *list = NULL;
    if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
        return SKIPPED;
    vqemu_store *mine = open_store(VQEMU_STORE_READ_ONLY);
    if (vqemu_store_list_uses(mine, NULL, 0, NULL, &list, &error) < 0)
        fprintf(stderr, "%s\n", vqemu_error_message(error));
    else
        result = count_kind(list, "process") == 1 && !vqemu_use_list_is_complete(list) ? 0 : 2;
    vqemu_use_list_free(list);
    vqemu_store_unref(mine);
    return result;
}

START_TEST(one_that_may_not_be_looked_into_is_told_by_its_arguments) {
    vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *program = strdup(vqemu_runtime_binary(runtime));
    vqemu_runtime_unref(runtime);
    struct child child = start(run_program, program);
    child_succeeds(look_as_nobody);
    stop(&child);
}
END_TEST

static int look_without_proc(void) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_use_list *list = NULL;
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/proc", "tmpfs", 0, NULL) < 0)
        return SKIPPED;
    vqemu_store *mine = open_store(0);
    vqemu_collection *collection = NULL;
    int r = vqemu_store_list_uses(mine, NULL, 0, NULL, &list, &error);
    if (r != VQEMU_ERR_SYSTEM || strcmp(vqemu_error_reason(error), "no-proc") != 0 || list)
        return 1;
    r = collect_keeping(mine, 1, 0, NULL, &collection, &error);
    if (r != VQEMU_ERR_SYSTEM || strcmp(vqemu_error_reason(error), "no-proc") != 0 || collection)
        return 2;
    r = vqemu_store_remove_revision(mine, vqemu_revision_name(revision), 0, NULL, &error);
    if (r != VQEMU_ERR_SYSTEM || strcmp(vqemu_error_reason(error), "no-proc") != 0)
        return 3;
    vqemu_store_unref(mine);
    return 0;
}

START_TEST(without_proc_there_is_no_answer) {
    vqemu_runtime_unref(resolve(store, 0));
    child_succeeds(look_without_proc);
}
END_TEST

/* ---- others ---- */

START_TEST(leases_are_told_with_their_holder) {
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0), *second = resolve(store, 0);
    vqemu_use_list *list = list_uses(PROFILE);
    size_t i = find(list, "lease");
    ck_assert_uint_eq(count_kind(list, "lease"), 1);
    ck_assert_int_eq(vqemu_use_list_pid(list, i), getpid());
    ck_assert_str_eq(vqemu_use_list_tree_name(list, i), vqemu_runtime_digest(runtime));
    ck_assert_str_eq(vqemu_use_list_revision_name(list, i), vqemu_revision_name(revision));
    ck_assert_uint_eq(count_kind(list, "process"), 0);
    vqemu_use_list_free(list);
}
END_TEST

static int inherited = -1;

static void keep_lease(const char *program) {
    (void)program;
    if (dup(inherited) >= 0) /* not close-on-exec */
        execl("/bin/sh", "sh", "-c", "echo; read line", (char *)NULL);
}

START_TEST(a_lease_that_was_inherited_is_that_of_the_heir) {
    vqemu_runtime *runtime = resolve(store, 0);
    inherited = vqemu_runtime_lease_fd(runtime);
    struct child child = start(keep_lease, "");
    vqemu_runtime_unref(runtime);
    vqemu_use_list *list = list_uses(NULL);
    size_t i = find(list, "lease");
    ck_assert_uint_eq(count_kind(list, "lease"), 1);
    ck_assert_int_eq(vqemu_use_list_pid(list, i), child.pid);
    ck_assert_str_eq(vqemu_use_list_process_name(list, i), "sh");
    vqemu_use_list_free(list);
    stop(&child);
    ck_assert_uint_eq(count_uses(NULL, "lease"), 0);
}
END_TEST

START_TEST(pins_current_and_links_are_told) {
    const char *name = vqemu_revision_name(revision);
    vqemu_runtime_unref(resolve(store, 0));
    ck_assert_int_eq(vqemu_store_pin(store, name, "unit:volt-web", 0, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_store_set_current(store, name, 0, NULL, NULL), 0);
    vqemu_use_list *list = list_uses(name);
    ck_assert_uint_eq(vqemu_use_list_count(list), 3);
    ck_assert_str_eq(vqemu_use_list_kind(list, 0), "pin");
    ck_assert_str_eq(vqemu_use_list_holder(list, 0), "unit:volt-web");
    ck_assert_str_eq(vqemu_use_list_kind(list, 1), "current");
    ck_assert_str_eq(vqemu_use_list_kind(list, 2), "link");
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(vqemu_use_list_revision_name(list, i), name);
        ck_assert_uint_eq(strlen(vqemu_use_list_tree_name(list, i)), 64);
        ck_assert_int_eq(vqemu_use_list_pid(list, i), 0);
        ck_assert_ptr_null(vqemu_use_list_process_name(list, i));
        ck_assert_ptr_null(vqemu_use_list_vm_name(list, i));
    }
    vqemu_use_list_free(list);
}
END_TEST

START_TEST(only_what_was_named_is_told) {
    write_file("profile/firmware/bios.bin", "newer", 0644);
    vqemu_runtime_unref(resolve(store, 0)); /* a link to it */
    _cleanup_revision_ vqemu_revision *newer = build(store, NULL);
    ck_assert_int_eq(vqemu_store_pin(store, vqemu_revision_name(newer), NULL, 0, NULL, NULL), 0);
    ck_assert_uint_eq(count_uses(NULL, "pin"), 1);
    ck_assert_uint_eq(count_uses(PROFILE, "pin"), 1);
    ck_assert_uint_eq(count_uses(PROFILE, "link"), 1);
    ck_assert_uint_eq(count_uses(vqemu_revision_name(revision), "pin"), 0);
    ck_assert_uint_eq(count_uses(vqemu_revision_name(revision), "link"), 1);
    ck_assert_uint_eq(count_uses(vqemu_revision_name(newer), "link"), 0);
}
END_TEST

START_TEST(what_is_gone_is_told_among_all) {
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(vqemu_store_pin(store, vqemu_revision_name(revision), NULL, 0, NULL, NULL), 0);
    ck_assert_int_eq(unlink(vqemu_revision_path(revision)), 0);
    vqemu_use_list *list = list_uses(NULL);
    ck_assert_ptr_null(vqemu_use_list_revision_name(list, find(list, "lease")));
    ck_assert_ptr_null(vqemu_use_list_tree_name(list, find(list, "pin")));
    ck_assert_str_eq(vqemu_use_list_revision_name(list, find(list, "pin")),
                     vqemu_revision_name(revision));
    vqemu_use_list_free(list);
}
END_TEST

START_TEST(mistakes_of_callers_are_told) {
    _cleanup_call_ vqemu_call *call = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_use_list *list = (vqemu_use_list *)&error; /* must become NULL */
    ck_assert_int_eq(vqemu_store_list_uses(NULL, NULL, 0, NULL, &list, &error), VQEMU_ERR_USAGE);
    ck_assert_ptr_null(list);
    ck_assert_int_eq(vqemu_store_list_uses(store, NULL, 0, NULL, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_list_uses(store, NULL, 1, NULL, &list, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_list_uses(store, PROFILE "-00000000", 0, NULL, &list, &error),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_int_eq(vqemu_store_list_uses(store, "kvm-uefi", 0, NULL, &list, &error),
                     VQEMU_ERR_NO_REVISION);
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(vqemu_store_list_uses(store, NULL, 0, call, &list, &error),
                     VQEMU_ERR_CANCELLED);
    ck_assert_ptr_null(list);
    ck_assert_uint_eq(vqemu_use_list_count(NULL), 0);
    ck_assert_ptr_null(vqemu_use_list_kind(NULL, 0));
    ck_assert_ptr_null(vqemu_use_list_vm_name(NULL, 0));
    ck_assert_int_eq(vqemu_use_list_pid(NULL, 0), 0);
    ck_assert(!vqemu_use_list_is_complete(NULL));
    vqemu_use_list_free(NULL);
    list = list_uses(NULL);
    size_t count = vqemu_use_list_count(list);
    ck_assert_ptr_null(vqemu_use_list_kind(list, count));
    ck_assert_ptr_null(vqemu_use_list_tree_name(list, count));
    ck_assert_ptr_null(vqemu_use_list_holder(list, count));
    vqemu_use_list_free(list);
}
END_TEST

/* ---- the name of a VM ---- */

static const struct {
    const char *arguments, *name; /* a line for each argument; NULL for none */
} names[] = {
    {"qemu-system-x86_64\n-name\nguest=volt-web,process=volt-web\n", "web"},
    {"/t/lib/ld.so\n--library-path\n/t/lib\n/t/bin/qemu-system-arm\n--name\nguest=volt-a\n", "a"},
    {"qemu-system-x86_64\n-name\nguest=volt-a,,b,,,,c,process=x\n", "a,b,,c"},
    {"qemu-system-x86_64\n-name\nprocess=x,guest=other\n", "other"},
    {"qemu-system-x86_64\n-name\nvolt-web,debug-threads=on\n", "web"},
    {"qemu-system-x86_64\n-name\nprocess=x\n", NULL},
    {"qemu-system-x86_64\n-name\n", NULL},
    {"qemu-system-x86_64\n-name\n\n-uuid\nx\n", NULL},
    {"qemu-system-x86_64\n-nodefaults\n", NULL},
    {"find\n/\n-name\nguest=volt-web\n", NULL},
    {"", NULL},
};

START_TEST(names_are_read_from_arguments) {
    _cleanup_free_ char *arguments = strdup(names[_i].arguments);
    size_t size = strlen(arguments);
    for (size_t i = 0; i < size; i++)
        if (arguments[i] == '\n')
            arguments[i] = '\0';
    _cleanup_free_ char *name = NULL;
    ck_assert_int_eq(guest_name_of_arguments(arguments, size, &name), 0);
    ck_assert_pstr_eq(name, names[_i].name);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("uses");
    TCase *tests = tcase_create("uses");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_process_that_runs_from_a_tree_is_told);
    tcase_add_test(tests, also_if_it_knows_the_tree_by_another_name);
    tcase_add_test(tests, also_if_it_is_only_there);
    tcase_add_test(tests, also_if_it_holds_a_file_open);
    tcase_add_test(tests, one_that_may_not_be_looked_into_is_told_by_its_arguments);
    tcase_add_test(tests, without_proc_there_is_no_answer);
    tcase_add_test(tests, leases_are_told_with_their_holder);
    tcase_add_test(tests, a_lease_that_was_inherited_is_that_of_the_heir);
    tcase_add_test(tests, pins_current_and_links_are_told);
    tcase_add_test(tests, only_what_was_named_is_told);
    tcase_add_test(tests, what_is_gone_is_told_among_all);
    tcase_add_test(tests, mistakes_of_callers_are_told);
    tcase_add_loop_test(tests, names_are_read_from_arguments, 0, sizeof names / sizeof *names);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
