// SPDX-License-Identifier: MIT
/*
 * The library at work, through its public headers.
 *
 *     ours build ROOT DIRECTORY THREADS
 *     ours resolve ROOT THREADS [verify|trust]
 *     ours verify ROOT THREADS
 *     ours pull|push ROOT REPOSITORY                 of a registry that talks plain HTTP
 *     ours warm COUNT ROOT [verify|trust]            one handle, resolved again and again
 *     ours open-warm COUNT ROOT [verify|trust]       opened and resolved again and again
 *     ours manifest COUNT FILE                       load it
 *     ours memory FILE                               bytes that one loaded manifest holds
 *     ours command COUNT ARGUMENTS                   build a command of so many arguments
 *
 * Those with a COUNT print the median of so many calls in nanoseconds; what works on a store once
 * is timed from outside, as a whole process.
 */
#include "bench.h"

#include <malloc.h>

#include <volt-qemu/volt-qemu.h>

#define PROFILE "emulate-x86"
#define MAX_OBJECTS 1000000

_Noreturn static void fail(const char *what, const vqemu_error *error) {
    die_text(what, vqemu_error_message(error));
}

static vqemu_store *open_store(const char *root, uint32_t flags) {
    vqemu_error *error = NULL;
    vqemu_store *store;
    if (vqemu_store_open_root(root, flags, &store, &error) < 0)
        fail(root, error);
    return store;
}

static vqemu_call *make_call(uint32_t threads) {
    vqemu_error *error = NULL;
    vqemu_call *call;
    if (vqemu_call_new(&call, &error) < 0 ||
        vqemu_call_set_number(call, VQEMU_CALL_THREADS, threads, &error) < 0 ||
        vqemu_call_set_number(call, VQEMU_CALL_MAX_OBJECTS, MAX_OBJECTS, &error) < 0)
        fail("a call", error);
    return call;
}

static vqemu_selection *select_profile(void) {
    vqemu_error *error = NULL;
    vqemu_host_options *description;
    vqemu_host *host;
    vqemu_request *request;
    vqemu_selection *selection;
    if (vqemu_host_options_new(&description, &error) < 0 ||
        vqemu_host_options_set_string(description, VQEMU_HOST_ARCH, "x86_64", &error) < 0 ||
        vqemu_host_options_set_string(description, VQEMU_HOST_KVM, "absent", &error) < 0 ||
        vqemu_host_new(description, 0, &host, &error) < 0 ||
        vqemu_request_new(&request, &error) < 0 ||
        vqemu_request_set_string(request, VQEMU_REQUEST_PROFILE, PROFILE, &error) < 0 ||
        vqemu_request_set_string(request, VQEMU_REQUEST_GUEST_ARCH, "x86_64", &error) < 0 ||
        vqemu_select(host, request, 0, &selection, &error) < 0)
        fail("select", error);
    vqemu_request_free(request);
    vqemu_host_options_free(description);
    vqemu_host_free(host);
    return selection;
}

static uint32_t parse_flag(const char *name) {
    if (!name)
        return 0;
    if (strcmp(name, "verify") == 0)
        return VQEMU_RESOLVE_VERIFY;
    if (strcmp(name, "trust") == 0)
        return VQEMU_RESOLVE_TRUST;
    die_text(name, "not a flag of resolving");
}

static void build(const char *root, const char *directory, uint32_t threads) {
    vqemu_error *error = NULL;
    vqemu_store *store = open_store(root, VQEMU_STORE_CREATE);
    vqemu_call *call = make_call(threads);
    vqemu_ingest_options *options;
    vqemu_ingest *ingest;
    if (vqemu_ingest_options_new(&options, &error) < 0 ||
        vqemu_ingest_options_set_string(options, VQEMU_INGEST_PROFILE, PROFILE, &error) < 0 ||
        vqemu_store_ingest(store, directory, options, 0, call, &ingest, &error) < 0)
        fail(directory, error);
    vqemu_ingest_free(ingest);
    vqemu_ingest_options_free(options);
    vqemu_call_unref(call);
    vqemu_store_unref(store);
}

static void resolve_in(vqemu_store *store, const vqemu_selection *selection, uint32_t flags,
                       vqemu_call *call) {
    vqemu_error *error = NULL;
    vqemu_runtime *runtime;
    if (vqemu_resolve(store, selection, NULL, flags, call, &runtime, &error) < 0)
        fail("resolve", error);
    vqemu_runtime_unref(runtime);
}

static void resolve(const char *root, uint32_t threads, uint32_t flags) {
    vqemu_selection *selection = select_profile();
    vqemu_store *store = open_store(root, 0);
    vqemu_call *call = make_call(threads);
    resolve_in(store, selection, flags, call);
    vqemu_call_unref(call);
    vqemu_store_unref(store);
    vqemu_selection_free(selection);
}

static void verify(const char *root, uint32_t threads) {
    vqemu_error *error = NULL;
    vqemu_store *store = open_store(root, 0);
    vqemu_call *call = make_call(threads);
    vqemu_check *check;
    if (vqemu_store_check(store, NULL, 0, NULL, call, &check, &error) < 0)
        fail(root, error);
    vqemu_call_unref(call);
    if (vqemu_check_problem_count(check) > 0)
        die_text(root, vqemu_check_problem_message(check, 0));
    vqemu_check_free(check);
    vqemu_store_unref(store);
}

static vqemu_remote *open_remote(const char *repository) {
    vqemu_error *error = NULL;
    vqemu_remote *remote;
    if (vqemu_remote_new(repository, &remote, &error) < 0 ||
        vqemu_remote_set_number(remote, VQEMU_REMOTE_PLAIN_HTTP, 1, &error) < 0)
        fail(repository, error);
    return remote;
}

static void pull(const char *root, const char *repository) {
    vqemu_error *error = NULL;
    vqemu_store *store = open_store(root, VQEMU_STORE_CREATE);
    vqemu_remote *remote = open_remote(repository);
    vqemu_ingest *ingest;
    if (vqemu_store_pull(store, remote, NULL, NULL, VQEMU_PULL_ANY_PROFILE, NULL, &ingest, &error) <
        0)
        fail(repository, error);
    vqemu_ingest_free(ingest);
    vqemu_remote_free(remote);
    vqemu_store_unref(store);
}

static void push(const char *root, const char *repository) {
    vqemu_error *error = NULL;
    vqemu_store *store = open_store(root, 0);
    vqemu_remote *remote = open_remote(repository);
    vqemu_revision *revision;
    vqemu_push *pushed;
    if (vqemu_store_find_revision(store, PROFILE, 0, NULL, &revision, &error) < 0 ||
        vqemu_store_push(store, revision, remote, NULL, 0, NULL, &pushed, &error) < 0)
        fail(repository, error);
    vqemu_push_free(pushed);
    vqemu_revision_unref(revision);
    vqemu_remote_free(remote);
    vqemu_store_unref(store);
}

static void time_warm(struct samples *samples, const char *root, uint32_t flags) {
    vqemu_selection *selection = select_profile();
    vqemu_store *store = open_store(root, 0);
    vqemu_call *call = make_call(1);
    while (sample_more(samples)) {
        sample_start(samples);
        resolve_in(store, selection, flags, call);
        sample_end(samples);
    }
    vqemu_call_unref(call);
    vqemu_store_unref(store);
    vqemu_selection_free(selection);
}

static void time_open_warm(struct samples *samples, const char *root, uint32_t flags) {
    while (sample_more(samples)) {
        sample_start(samples);
        resolve(root, 1, flags);
        sample_end(samples);
    }
}

static vqemu_manifest *load_manifest(const char *text, size_t size) {
    vqemu_error *error = NULL;
    vqemu_manifest *manifest;
    vqemu_call *call = make_call(1);
    if (vqemu_manifest_load_memory(text, size, NULL, 0, call, &manifest, &error) < 0)
        fail("manifest", error);
    vqemu_call_unref(call);
    return manifest;
}

static void time_manifest(struct samples *samples, const char *file) {
    size_t size;
    char *text = read_file(file, &size);
    while (sample_more(samples)) {
        sample_start(samples);
        vqemu_manifest *manifest = load_manifest(text, size);
        sample_end(samples);
        vqemu_manifest_unref(manifest);
    }
    free(text);
}

static size_t bytes_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void print_memory(const char *file) {
    size_t size;
    char *text = read_file(file, &size);
    size_t before = bytes_in_use();
    vqemu_manifest *manifest = load_manifest(text, size);
    printf("%zu\n", bytes_in_use() - before);
    vqemu_manifest_unref(manifest);
    free(text);
}

static size_t count_arguments(const vqemu_command *command) {
    size_t count = 0;
    while (vqemu_command_argv(command)[count])
        count++;
    return count;
}

static vqemu_command *build_command(vqemu_runtime *runtime, const vqemu_vm *vm) {
    vqemu_error *error = NULL;
    vqemu_command *command;
    if (vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error) < 0)
        fail("command", error);
    return command;
}

static vqemu_runtime *describe_runtime(void) {
    vqemu_error *error = NULL;
    vqemu_runtime *runtime;
    vqemu_selection *selection = select_profile();
    static const char *const paths[][2] = {
        {VQEMU_RUNTIME_BINARY, "bin/qemu-system-x86_64"},
        {VQEMU_RUNTIME_FIRMWARE_DIR, "firmware"},
        {VQEMU_RUNTIME_LIB_DIR, "lib"},
        {VQEMU_RUNTIME_MODULE_DIR, "lib/qemu"},
        {VQEMU_RUNTIME_LOADER, "lib/ld-linux-x86-64.so.2"},
    };
    vqemu_runtime_options *options;
    int r = vqemu_runtime_options_new(&options, &error);
    for (size_t i = 0; r == 0 && i < sizeof paths / sizeof paths[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "/srv/volt/qemu/emulate-x86/%s", paths[i][1]);
        r = vqemu_runtime_options_set_string(options, paths[i][0], path, &error);
    }
    if (r < 0 || vqemu_runtime_new(selection, options, 0, &runtime, &error) < 0)
        fail("runtime", error);
    vqemu_runtime_options_free(options);
    vqemu_selection_free(selection);
    return runtime;
}

/* A VM whose command has exactly the wanted number of arguments, filled up with extra ones. */
static vqemu_vm *describe_vm(vqemu_runtime *runtime, size_t arguments) {
    vqemu_error *error = NULL;
    vqemu_vm *vm;
    if (vqemu_vm_new("bench", &vm, &error) < 0 ||
        vqemu_vm_set_number(vm, VQEMU_KEY_MEMORY, 512, &error) < 0 ||
        vqemu_vm_set_number(vm, VQEMU_KEY_CPUS, 2, &error) < 0 ||
        vqemu_vm_set_string(vm, VQEMU_KEY_ROOTFS, "/srv/guests/bench", &error) < 0 ||
        vqemu_vm_set_string(vm, VQEMU_KEY_KERNEL, "/srv/guests/vmlinuz", &error) < 0)
        fail("vm", error);
    vqemu_command *command = build_command(runtime, vm);
    for (size_t i = count_arguments(command), extra = 0; i < arguments; i++, extra++) {
        char key[64];
        snprintf(key, sizeof key, VQEMU_KEY_EXTRA_ARGS_AT(VQEMU_KEYS_ANY), extra);
        if (vqemu_vm_set_string(vm, key, i % 2 ? "-device" : "virtio-rng-pci,id=rng0", &error) < 0)
            fail("vm", error);
    }
    vqemu_command_unref(command);
    return vm;
}

static void time_command(struct samples *samples, size_t arguments) {
    vqemu_runtime *runtime = describe_runtime();
    vqemu_vm *vm = describe_vm(runtime, arguments);
    while (sample_more(samples)) {
        sample_start(samples);
        vqemu_command *command = build_command(runtime, vm);
        sample_end(samples);
        if (count_arguments(command) < arguments)
            die_text("command", "has too few arguments");
        vqemu_command_unref(command);
    }
    vqemu_vm_free(vm);
    vqemu_runtime_unref(runtime);
}

static int run_timed(int argc, char **argv) {
    struct samples samples = samples_of(parse_count(argv[2]));
    const char *command = argv[1], *flag = argc > 4 ? argv[4] : NULL;
    if (strcmp(command, "warm") == 0)
        time_warm(&samples, argv[3], parse_flag(flag));
    else if (strcmp(command, "open-warm") == 0)
        time_open_warm(&samples, argv[3], parse_flag(flag));
    else if (strcmp(command, "manifest") == 0)
        time_manifest(&samples, argv[3]);
    else if (strcmp(command, "command") == 0)
        time_command(&samples, parse_count(argv[3]));
    else
        die_text(command, "no such command");
    samples_print(&samples);
    return 0;
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "memory") == 0 && argc == 3)
        print_memory(argv[2]);
    else if (strcmp(command, "build") == 0 && argc == 5)
        build(argv[2], argv[3], (uint32_t)parse_count(argv[4]));
    else if (strcmp(command, "verify") == 0 && argc == 4)
        verify(argv[2], (uint32_t)parse_count(argv[3]));
    else if (strcmp(command, "pull") == 0 && argc == 4)
        pull(argv[2], argv[3]);
    else if (strcmp(command, "push") == 0 && argc == 4)
        push(argv[2], argv[3]);
    else if (strcmp(command, "resolve") == 0 && argc >= 4)
        resolve(argv[2], (uint32_t)parse_count(argv[3]), parse_flag(argc > 4 ? argv[4] : NULL));
    else if (argc >= 4)
        return run_timed(argc, argv);
    else
        die_text("usage",
                 "ours build|resolve|verify|pull|push|warm|open-warm|manifest|memory|command ...");
    return 0;
}
