/* SPDX-License-Identifier: MIT */
/*
 * Every single allocation of selecting a profile, reading a VM, building its command and writing it
 * down, and of adding up sizes, fails once: an error that says so, no crash, and nothing is left
 * behind. Where there is an error to tell anyway, it is that or the other, and what is returned is
 * its code.
 *
 * While a document is parsed, any error will do: jansson 2.14 calls some failures a fault of the
 * document, leaks, and at one point frees what it has not initialised. So each of these is tried in
 * a process of its own.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "base/json.h"
#include "choice/profile.h"
#include "choice/request.h"
#include "command/command.h"
#include "guest-case.h"
#include "store/revision.h"
#include "store/store.h"
#include "vm/vm.h"

/* ---- allocation, instead of libc's ---- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static long until_failure; /* 0: none fails any more */
static long blocks;        /* that are allocated */

static bool fail_for_good; /* not one allocation, but that and all after it */

static bool fails(void) {
    if (until_failure != 1) {
        until_failure -= until_failure > 0;
        return false;
    }
    until_failure = fail_for_good ? 1 : 0;
    return true;
}

static void *counted(void *memory) {
    blocks += memory != NULL;
    return memory;
}

void *malloc(size_t size) {
    return fails() ? (errno = ENOMEM, NULL) : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size) {
    return fails() ? (errno = ENOMEM, NULL) : counted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size) {
    if (fails())
        return errno = ENOMEM, NULL;
    return memory ? __libc_realloc(memory, size) : counted(__libc_realloc(NULL, size));
}

void free(void *memory) {
    blocks -= memory != NULL;
    __libc_free(memory);
}

/* ---- what is done ---- */

enum outcome {
    DONE,        /* no allocation failed: there are no more */
    NO_MEMORY,   /* the error that there should be */
    OTHER_ERROR, /* one that says something else */
    NO_ERROR,    /* although an allocation failed */
    LEFT_BEHIND, /* memory that nobody frees */
    CRASH,
};

typedef int operation(vqemu_runtime *runtime, const char *text, size_t size, vqemu_error **error);

/* It is made once, by the first call, in which no allocation fails. */
static vqemu_policy *all_allowed(void) {
    static const char text[] =
        "{\"read_paths\":[\"/\"],\"write_paths\":[\"/\"],\"sockets\":[\"/\"],"
        "\"devices\":[\"/dev\"],\"kernel\":true,\"qcow2\":true,\"share_9p\":true,"
        "\"share_virtiofs\":true,\"share_passthrough\":true,\"virtiofsd_root\":true,\"vnc_no_"
        "password\":true,\"console_file\":true,"
        "\"user_network\":\"host\",\"bridges\":[\"*\"],\"taps\":[\"*\"],\"vsock\":true,"
        "\"forwards\":[{\"first\":1,\"last\":65535},"
        "{\"host_address\":\"0.0.0.0\",\"first\":1,\"last\":65535}],"
        "\"vnc_ports\":[{\"first\":1,\"last\":65535}],\"hugepages\":true,"
        "\"descriptors\":true,\"programs\":true,\"console_monitor\":true,"
        "\"sandbox_off\":true,\"extra_args\":true}";
    static vqemu_policy *policy;
    long saved = until_failure, before = blocks;
    until_failure = 0;
    if (!policy)
        ck_assert_int_eq(vqemu_policy_from_json(text, strlen(text), NULL, 0, &policy, NULL), 0);
    until_failure = saved;
    blocks = before;
    return policy;
}

static int read_and_build(vqemu_runtime *runtime, const char *text, size_t size,
                          vqemu_error **error) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_command_ vqemu_command *command = NULL;
    vqemu_command_options *options = NULL;
    int r = vqemu_vm_from_json(text, size, NULL, 0, &vm, error);
    if (r == 0)
        r = vqemu_vm_unset(vm, VQEMU_KEY_USER, error);
    if (r == 0)
        r = vqemu_command_options_new(&options, error);
    if (r == 0)
        r = vqemu_command_options_set_policy(options, all_allowed(), error);
    if (r == 0)
        r = vqemu_command_build(runtime, vm, options, 0, NULL, &command, error);
    vqemu_command_options_free(options);
    if (r == 0) {
        _cleanup_free_ char *shell = NULL, *json = NULL, *saved = NULL, *why = NULL, *list = NULL;
        r = vqemu_command_to_shell(command, 0, &shell, error);
        if (r == 0)
            r = vqemu_command_to_json(command, 0, &json, error);
        if (r == 0)
            r = vqemu_command_save(command, 0, &saved, error);
        if (r == 0)
            r = vqemu_command_explain(command, 0, &why, error);
        if (r == 0)
            r = vqemu_command_explain(command, VQEMU_EXPLAIN_AS_TEXT, &list, error);
    }
    return r;
}

static int read_and_compare(vqemu_runtime *runtime, const char *text, size_t size,
                            vqemu_error **error) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_command_ vqemu_command *command = NULL, *other = NULL;
    _cleanup_free_ char *changes = NULL;
    int r = vqemu_vm_from_json(text, size, NULL, 0, &vm, error);
    if (r == 0)
        r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, error);
    if (r == 0)
        r = vqemu_vm_set_number(vm, VQEMU_KEY_MEMORY, 3000, error);
    if (r == 0)
        r = vqemu_vm_unset(vm, VQEMU_KEY_ROOTFS, error);
    if (r == 0)
        r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &other, error);
    return r == 0 ? vqemu_command_diff(command, other, 0, &changes, error) : r;
}

static int read_and_complete(vqemu_runtime *runtime, const char *text, size_t size,
                             vqemu_error **error) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    int r = vqemu_vm_from_json(text, size, NULL, 0, &vm, error);
    return r == 0 ? vqemu_vm_complete(vm, runtime, NULL, 0, NULL, error) : r;
}

static int read_and_make_units(vqemu_runtime *runtime, const char *text, size_t size,
                               vqemu_error **error) {
    static const char *const stop[] = {"/usr/bin/volt-qemu", "stop", NULL};
    _cleanup_vm_ vqemu_vm *vm = NULL;
    vqemu_unit_options *options = NULL;
    vqemu_units *units = NULL;
    int r = vqemu_vm_from_json(text, size, NULL, 0, &vm, error);
    if (r == 0)
        r = vqemu_vm_set_string(vm, VQEMU_KEY_USER, "vm", error);
    if (r == 0)
        r = vqemu_unit_options_new(&options, error);
    if (r == 0)
        r = vqemu_unit_options_set_string(options, VQEMU_UNIT_NAME_PREFIX, "acme-", error);
    if (r == 0)
        r = vqemu_unit_options_set_stop_command(options, stop, error);
    if (r == 0)
        r = vqemu_units_build(runtime, vm, NULL, options, 0, NULL, &units, error);
    vqemu_units_free(units);
    vqemu_unit_options_free(options);
    return r;
}

static int load_command(vqemu_runtime *runtime, const char *text, size_t size,
                        vqemu_error **error) {
    (void)runtime;
    _cleanup_command_ vqemu_command *command = NULL;
    return vqemu_command_load(text, size, "saved", 0, NULL, &command, error);
}

/* What a QEMU says is in the socket already. */
static int use_monitor(vqemu_runtime *runtime, const char *text, size_t size, vqemu_error **error) {
    (void)runtime;
    vqemu_monitor *monitor = NULL;
    char *event = NULL, *result = NULL;
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 ||
        send(fds[0], text, size, 0) != (ssize_t)size)
        abort();
    int r = vqemu_monitor_open_fd(fds[1], "x", 0, NULL, &monitor, error);
    if (r == 0)
        r = vqemu_monitor_execute(monitor, "query-name", "{\"a\": 1}", 0, NULL, &result, error);
    if (r == 0)
        r = vqemu_monitor_next_event(monitor, 0, NULL, &event, error);
    free(event);
    free(result);
    vqemu_monitor_free(monitor);
    close(fds[0]);
    close(fds[1]);
    return r;
}

static int read_and_write(vqemu_runtime *runtime, const char *text, size_t size,
                          vqemu_error **error) {
    (void)runtime;
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_free_ char *written = NULL, *schema = NULL;
    int r = vqemu_vm_from_json(text, size, NULL, 0, &vm, error);
    if (r == 0)
        r = vqemu_vm_to_json(vm, 0, &written, error);
    if (r == 0)
        r = vqemu_vm_schema(0, &schema, error);
    return r;
}

/* Every kind of key: what is appended for a value is taken away again. */
static int set_keys(vqemu_vm *vm, vqemu_error **error) {
    int r = vqemu_vm_set_string(vm, "nics[3].forwards[0].host_address", "127.0.0.1", error);
    if (r == 0)
        r = vqemu_vm_set_number(vm, "disks[0].boot_order", 9, error);
    if (r == 0)
        r = vqemu_vm_set_string(vm, "extra_args[0]", "-y", error);
    if (r == 0)
        r = vqemu_vm_set_string(vm, "cpu_features.new", "text", error);
    if (r == 0)
        r = vqemu_vm_remove(vm, "nics[3]", error);
    return r == 0 ? vqemu_vm_unset(vm, "shares", error) : r;
}

/* Parsed before, since jansson does not say of each failure what it is. */
static json_t *second_document;

static int copy_and_change(vqemu_runtime *runtime, const char *text, size_t size,
                           vqemu_error **error) {
    (void)runtime;
    _cleanup_vm_ vqemu_vm *vm = NULL, *copy = NULL;
    _cleanup_free_ char *changes = NULL;
    int r = vqemu_vm_from_json(text, size, NULL, 0, &vm, error);
    if (r == 0)
        r = vqemu_vm_copy(vm, &copy, error);
    if (r == 0)
        r = set_keys(copy, error);
    if (r == 0)
        r = object_from_json(&vm_type, copy, true, second_document, error);
    return r == 0 ? vqemu_vm_diff(vm, copy, 0, &changes, error) : r;
}

static int parse(vqemu_runtime *runtime, const char *text, size_t size, vqemu_error **error) {
    (void)runtime;
    _cleanup_json_ json_t *document = NULL;
    return json_parse_object(text, size, "text", &document, error);
}

/* The store is opened here: a child may not use that of its parent. */
static int list_revisions(vqemu_runtime *runtime, const char *root, size_t size,
                          vqemu_error **error) {
    (void)runtime;
    (void)size;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_revision_list_ vqemu_revision_list *list = NULL;
    int r = vqemu_store_open_root(root, 0, &store, error);
    return r == 0 ? vqemu_store_list_revisions(store, NULL, 0, NULL, &list, error) : r;
}

static int list_sizes(vqemu_runtime *runtime, const char *root, size_t size, vqemu_error **error) {
    (void)runtime;
    (void)size;
    _cleanup_store_ vqemu_store *store = NULL;
    vqemu_size_list *list = NULL;
    int r = vqemu_store_open_root(root, 0, &store, error);
    if (r == 0)
        r = vqemu_store_list_sizes(store, NULL, 0, NULL, &list, error);
    if (r == 0 && !vqemu_size_list_is_complete(list)) /* what jansson says without memory */
        r = VQEMU_ERR_MALFORMED;
    vqemu_size_list_free(list);
    return r;
}

/* With a profile that a manifest describes, and others that are rejected. */
static int select_on(const vqemu_host *host, vqemu_error **error) {
    static const char *const guests[] = {"x86_64"};
    static const struct vm_needs needs = {
        .guest_arch = "x86_64", .guest_os = "windows", .machine = "q35"};
    _cleanup_request_ vqemu_request *request = NULL;
    _cleanup_profile_ vqemu_profile *edge = NULL;
    _cleanup_selection_ vqemu_selection *selection = NULL;
    int r = vqemu_request_new(&request, error);
    if (r == 0)
        r = vqemu_request_set_string(request, VQEMU_REQUEST_MODE, "hybrid-kvm", error);
    if (r == 0)
        r = request_set_needs(request, &needs, error);
    if (r == 0)
        r = profile_new("edge", "", "kvm", VQEMU_ABILITY_UEFI, guests, 1, &edge, error);
    if (r == 0)
        r = request_set_candidates(request, &edge, 1, error);
    return r == 0 ? vqemu_select(host, request, 0, &selection, error) : r;
}

static int describe_and_select(vqemu_runtime *runtime, const char *text, size_t size,
                               vqemu_error **error) {
    (void)runtime;
    (void)text;
    (void)size;
    _cleanup_host_options_ vqemu_host_options *options = NULL;
    _cleanup_host_ vqemu_host *host = NULL;
    int r = vqemu_host_options_new(&options, error);
    if (r == 0)
        r = vqemu_host_options_set_string(options, VQEMU_HOST_ARCH, "x86_64", error);
    if (r == 0)
        r = vqemu_host_options_set_string(options, VQEMU_HOST_KVM, "usable", error);
    if (r == 0)
        r = vqemu_host_new(options, 0, &host, error);
    return r == 0 ? select_on(host, error) : r;
}

/* ---- what fails anyway ---- */

static vqemu_policy *nothing_allowed;
static vqemu_runtime *some_runtime;

static int set_to_nonsense(vqemu_vm *vm, vqemu_error **error) {
    return vqemu_vm_set_string(vm, "disks[0].cache", "nonsense", error);
}

static int set_what_there_is_not(vqemu_vm *vm, vqemu_error **error) {
    return vqemu_vm_set_string(vm, "disks[0].cash", "none", error);
}

static int set_nothing(vqemu_vm *vm, vqemu_error **error) {
    (void)vm;
    return vqemu_vm_set_string(NULL, VQEMU_KEY_KERNEL, "/x", error);
}

static int set_by_strange_flags(vqemu_vm *vm, vqemu_error **error) {
    _cleanup_free_ char *text = NULL;
    return vqemu_vm_to_json(vm, 1u << 31, &text, error);
}

static int open_nothing(vqemu_vm *vm, vqemu_error **error) {
    (void)vm;
    _cleanup_store_ vqemu_store *store = NULL;
    return vqemu_store_open_root("/nonexistent/\x1b", 0, &store, error);
}

static int read_nothing(vqemu_vm *vm, vqemu_error **error) {
    (void)vm;
    _cleanup_vm_ vqemu_vm *read = NULL;
    return vqemu_vm_from_file("/nonexistent", 0, &read, error);
}

static int wait_too_long(vqemu_vm *vm, vqemu_error **error) {
    (void)vm;
    vqemu_call *call = NULL;
    int r = vqemu_call_new(&call, error);
    if (r == 0)
        r = vqemu_call_set_number(call, VQEMU_CALL_DEADLINE_MS, UINT64_MAX, error);
    vqemu_call_unref(call);
    return r;
}

static int deny(vqemu_vm *vm, vqemu_error **error) {
    vqemu_command_options *options = NULL;
    _cleanup_command_ vqemu_command *command = NULL;
    int r = vqemu_command_options_new(&options, error);
    if (r == 0)
        r = vqemu_command_options_set_policy(options, nothing_allowed, error);
    if (r == 0)
        r = vqemu_command_build(some_runtime, vm, options, 0, NULL, &command, error);
    vqemu_command_options_free(options);
    return r;
}

typedef int failing(vqemu_vm *vm, vqemu_error **error);

static failing *const failures[] = {
    set_to_nonsense, set_what_there_is_not, set_nothing,   set_by_strange_flags,
    open_nothing,    read_nothing,          wait_too_long, deny,
};

static enum outcome run(operation *operate, long number, vqemu_runtime *runtime, const char *text,
                        size_t size) {
    vqemu_error *error = NULL;
    long before = blocks;
    until_failure = number;
    int r = operate(runtime, text, size, &error);
    bool was_reached = until_failure == 0;
    until_failure = 0;
    bool says_so = r == VQEMU_ERR_NO_MEMORY && vqemu_error_code(error) == VQEMU_ERR_NO_MEMORY;
    vqemu_error_free(error);
    if (r == 0)
        return was_reached ? NO_ERROR : DONE;
    return !says_so ? OTHER_ERROR : blocks != before ? LEFT_BEHIND : NO_MEMORY;
}

/* The outcome in a child. */
static enum outcome run_apart(operation *operate, long number, vqemu_runtime *runtime,
                              const char *text, size_t size) {
    int status;
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr)) /* what libc says when jansson crashes */
            _exit(OTHER_ERROR);
        _exit((int)run(operate, number, runtime, text, size));
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? (enum outcome)WEXITSTATUS(status) : CRASH;
}

/* How many allocations an operation needs that succeeds. */
static long count_allocations(operation *operate, vqemu_runtime *runtime, const char *text,
                              size_t size) {
    until_failure = LONG_MAX;
    int r = operate(runtime, text, size, NULL);
    long count = LONG_MAX - until_failure;
    until_failure = 0;
    ck_assert_int_eq(r, 0);
    return count;
}

/* parsing: how many allocations read documents, for which any error will do. */
static void every_allocation_of(operation *operate, vqemu_runtime *runtime, const char *text,
                                size_t size, long parsing, int documents) {
    long count = count_allocations(operate, runtime, text, size);
    int crashes = 0;
    ck_assert_int_gt(count, 10);
    for (long number = 1; number <= count; number++) {
        bool is_parsing = number <= parsing;
        enum outcome outcome = is_parsing ? run_apart(operate, number, runtime, text, size)
                                          : run(operate, number, runtime, text, size);
        bool is_good = !is_parsing ? outcome == NO_MEMORY : outcome != NO_ERROR && outcome != DONE;
        ck_assert_msg(is_good, "allocation %ld of %ld failed, and the outcome is %d", number, count,
                      (int)outcome);
        crashes += outcome == CRASH;
    }
    ck_assert_int_le(crashes, documents);
    ck_assert_int_eq(run_apart(operate, count + 1, runtime, text, size), DONE);
}

static void every_allocation_fails(operation *operate, int index) {
    size_t size;
    _cleanup_free_ char *text = read_case_file(index, "vm.json", &size);
    _cleanup_runtime_ vqemu_runtime *runtime = make_case_runtime(index);
    long parsing = count_allocations(parse, runtime, text, size);
    ck_assert_int_gt(count_allocations(operate, runtime, text, size), parsing + 100);
    every_allocation_of(operate, runtime, text, size, parsing, 1);
}

START_TEST(every_allocation_of_building_can_fail) {
    every_allocation_fails(read_and_build, _i);
}
END_TEST

START_TEST(every_allocation_of_comparing_can_fail) {
    every_allocation_fails(read_and_compare, _i);
}
END_TEST

START_TEST(every_allocation_of_completing_can_fail) {
    every_allocation_fails(read_and_complete, _i);
}
END_TEST

START_TEST(every_allocation_of_making_units_can_fail) {
    every_allocation_fails(read_and_make_units, _i);
}
END_TEST

START_TEST(every_allocation_of_loading_can_fail) {
    size_t size;
    _cleanup_free_ char *text = read_case_file(_i, "vm.json", &size), *saved = NULL;
    _cleanup_runtime_ vqemu_runtime *runtime = make_case_runtime(_i);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_command_ vqemu_command *command = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(text, size, NULL, 0, &vm, NULL), 0);
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, NULL), 0);
    ck_assert_int_eq(vqemu_command_save(command, 0, &saved, NULL), 0);
    long parsing = count_allocations(parse, runtime, saved, strlen(saved));
    every_allocation_of(load_command, runtime, saved, strlen(saved), parsing, 1);
}
END_TEST

START_TEST(every_allocation_of_a_monitor_can_fail) {
    static const char said[] = "{\"QMP\": {}}\n{\"return\": {}}\n{\"event\": \"RESET\"}\n"
                               "{\"return\": {\"name\": \"x\"}}\n";
    every_allocation_of(use_monitor, NULL, said, sizeof said - 1, LONG_MAX, 4);
}
END_TEST

START_TEST(every_allocation_of_writing_can_fail) {
    every_allocation_fails(read_and_write, _i);
}
END_TEST

START_TEST(every_allocation_of_changing_can_fail) {
    static const char text[] =
        "{\"memory\": 5, \"disks\": [{\"file\": \"/x\", \"cache\": \"none\"}],"
        "\"cpu_features\": {\"new\": null, \"other\": 3}, \"kernel\": null}";
    second_document = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(second_document);
    every_allocation_fails(copy_and_change, _i);
    json_decref(second_document);
}
END_TEST

START_TEST(every_allocation_of_selecting_can_fail) {
    long count = count_allocations(describe_and_select, NULL, NULL, 0);
    ck_assert_int_gt(count, 20);
    for (long number = 1; number <= count; number++) {
        enum outcome outcome = run(describe_and_select, number, NULL, NULL, 0);
        ck_assert_msg(outcome == NO_MEMORY, "allocation %ld of %ld failed, and the outcome is %d",
                      number, count, (int)outcome);
    }
    ck_assert_int_eq(run(describe_and_select, count + 1, NULL, NULL, 0), DONE);
}
END_TEST

START_TEST(every_allocation_of_sizes_can_fail) {
    make_scratch();
    _cleanup_free_ char *root = scratch_path("store");
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_revision_unref(build(store, NULL));
    write_file("profile/firmware/bios.bin", "another", 0644);
    vqemu_revision_unref(build(store, NULL));
    long parsing = count_allocations(list_revisions, NULL, root, 0) + 1; /* for what is returned */
    ck_assert_int_gt(count_allocations(list_sizes, NULL, root, 0), parsing + 8);
    every_allocation_of(list_sizes, NULL, root, 0, parsing, 2);
    remove_scratch();
}
END_TEST

/* How many allocations there are until it fails. */
static long fail_once(int index, vqemu_vm *vm, long number) {
    vqemu_error *error = NULL;
    until_failure = number;
    int r = failures[index](vm, &error);
    long left = until_failure;
    until_failure = 0;
    ck_assert_int_lt(r, 0);
    ck_assert_msg(r == vqemu_error_code(error),
                  "failure %d, allocation %ld: %d is returned, and the error's code is %d", index,
                  number, r, vqemu_error_code(error));
    vqemu_error_free(error);
    return number - left;
}

START_TEST(what_is_returned_is_the_code_of_the_error) {
    size_t size;
    _cleanup_free_ char *text = read_case_file(0, "vm.json", &size);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    some_runtime = make_case_runtime(0);
    ck_assert_int_eq(vqemu_vm_from_json(text, size, NULL, 0, &vm, NULL), 0);
    ck_assert_int_eq(vqemu_policy_from_json("{}", 2, NULL, 0, &nothing_allowed, NULL), 0);
    fail_for_good = false;
    long count = fail_once(_i, vm, LONG_MAX);
    ck_assert_int_gt(count, 2);
    for (long number = 1; number <= 2 * count; number++) {
        fail_for_good = number > count;
        fail_once(_i, vm, fail_for_good ? number - count : number);
    }
    fail_for_good = false;
    vqemu_policy_unref(nothing_allowed);
    vqemu_runtime_unref(some_runtime);
}
END_TEST

static int find_case(const char *name) {
    int index = 0;
    while (index < case_count && strcmp(case_names[index], name) != 0)
        index++;
    return index;
}

int main(void) {
    find_cases("commands");
    int everything = find_case("guest-with-everything"),
        desktop = find_case("guest-windows-desktop"), places = find_case("slots-of-q35");
    Suite *suite = suite_create("no-memory");
    TCase *tests = tcase_create("no-memory");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_allocation_of_building_can_fail, everything, everything + 1);
    tcase_add_loop_test(tests, every_allocation_of_comparing_can_fail, 0, 1);
    tcase_add_loop_test(tests, every_allocation_of_completing_can_fail, everything, everything + 1);
    tcase_add_loop_test(tests, every_allocation_of_completing_can_fail, places, places + 1);
    tcase_add_loop_test(tests, every_allocation_of_writing_can_fail, everything, everything + 1);
    tcase_add_loop_test(tests, every_allocation_of_making_units_can_fail, desktop, desktop + 1);
    tcase_add_loop_test(tests, every_allocation_of_loading_can_fail, everything, everything + 1);
    tcase_add_test(tests, every_allocation_of_a_monitor_can_fail);
    tcase_add_loop_test(tests, every_allocation_of_changing_can_fail, everything, everything + 1);
    tcase_add_test(tests, every_allocation_of_selecting_can_fail);
    tcase_add_test(tests, every_allocation_of_sizes_can_fail);
    tcase_add_loop_test(tests, what_is_returned_is_the_code_of_the_error, 0,
                        (int)(sizeof failures / sizeof *failures));
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
