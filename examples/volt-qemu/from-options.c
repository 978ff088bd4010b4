/* SPDX-License-Identifier: MIT */
#include "from-options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "message.h"
#include "progress.h"
#include "user-directories.h"

static int describe_host(const char *arch, int32_t kvm, vqemu_host **host, vqemu_error **error) {
    vqemu_host_options *description;
    int code = vqemu_host_options_new(&description, error);
    if (!code)
        code = vqemu_host_options_set_string(description, VQEMU_HOST_ARCH, arch, error);
    if (!code)
        code = vqemu_host_options_set_string(description, VQEMU_HOST_KVM, vqemu_kvm_state_name(kvm),
                                             error);
    if (!code)
        code = vqemu_host_new(description, host, error);
    vqemu_host_options_free(description);
    return code;
}

int host_from_options(const struct options *options, vqemu_host **host) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (!options->host_arch && !options->kvm)
        return vqemu_host_probe(0, host, &error) ? fail(error) : 0;

    _cleanup_host_ vqemu_host *probed = NULL;
    if (!options->host_arch && vqemu_host_probe(0, &probed, &error))
        return fail(error);
    const char *arch = probed ? vqemu_host_arch(probed) : options->host_arch;
    int32_t kvm = options->kvm ? options->kvm : VQEMU_KVM_ABSENT;
    if (describe_host(arch, kvm, host, &error))
        return fail_request(options->command, error);
    return 0;
}

static int set_request(const struct options *options, vqemu_request *request, vqemu_error **error) {
    const struct {
        const char *key, *value;
    } strings[] = {
        {VQEMU_REQUEST_PROFILE, options->profile},
        {VQEMU_REQUEST_MODE, options->mode},
        {VQEMU_REQUEST_GUEST_ARCH, options->guest_arch},
        {VQEMU_REQUEST_GUEST_OS, options->guest_os},
    };
    int code = 0;
    for (size_t i = 0; !code && i < sizeof strings / sizeof *strings; i++)
        code = vqemu_request_set_string(request, strings[i].key, strings[i].value, error);
    return code;
}

/* vm may be NULL. */
static int select_profile(const struct options *options, const vqemu_host *host, const vqemu_vm *vm,
                          vqemu_selection **selection) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_request *request;
    int code = vqemu_request_new(&request, &error);
    if (!code)
        code = set_request(options, request, &error);
    if (!code && vm)
        code = vqemu_request_set_vm(request, vm, &error);
    if (!code)
        code = vqemu_select(host, request, 0, selection, &error);
    vqemu_request_free(request);
    return code ? fail_request(options->command, error) : 0;
}

int selection_from_options(const struct options *options, const vqemu_host *host,
                           vqemu_selection **selection) {
    return select_profile(options, host, NULL, selection);
}

int selection_for_vm(const struct options *options, const vqemu_vm *vm,
                     vqemu_selection **selection) {
    _cleanup_host_ vqemu_host *host = NULL;
    int status = host_from_options(options, &host);
    return status ? status : select_profile(options, host, vm, selection);
}

static int set_path(vqemu_store_options *paths, const char *key, const char *path,
                    vqemu_error **error) {
    return path ? vqemu_store_options_set_string(paths, key, path, error) : 0;
}

static int set_paths(const struct options *options, vqemu_store_options *paths,
                     vqemu_error **error) {
    const char *root = options->root ? options->root : options->objects ? NULL : DEFAULT_ROOT;
    int code = set_path(paths, VQEMU_STORE_ROOT, root, error);
    if (!code)
        code = set_path(paths, VQEMU_STORE_OBJECTS, options->objects, error);
    if (!code)
        code = set_path(paths, VQEMU_STORE_REFS, options->refs, error);
    if (!code)
        code = set_path(paths, VQEMU_STORE_TREES, options->trees, error);
    return code ? code : set_path(paths, VQEMU_STORE_LINKS, options->links, error);
}

int store_from_options(const struct options *options, uint32_t flags, vqemu_store **store) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_options_ vqemu_store_options *paths = NULL;
    if (options->read_only)
        flags = VQEMU_STORE_READ_ONLY;
    int code = vqemu_store_options_new(&paths, &error);
    if (!code)
        code = set_paths(options, paths, &error);
    if (!code)
        code = vqemu_store_open(paths, flags, store, &error);
    return code ? fail(error) : 0;
}

int ref_from_operand(const struct options *options, vqemu_store *store, vqemu_revision **ref) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (vqemu_store_find_revision(store, options->operand, 0, options->call, ref, &error))
        return fail_request(options->command, error);
    return 0;
}

static int say(vqemu_ingest_options *said, const char *key, const char *value,
               vqemu_error **error) {
    return value ? vqemu_ingest_options_set_string(said, key, value, error) : 0;
}

int ingest_options_from_options(const struct options *options, vqemu_ingest_options **said) {
    _cleanup_error_ vqemu_error *error = NULL;
    int code = vqemu_ingest_options_new(said, &error);
    if (!code)
        code = say(*said, VQEMU_INGEST_PROFILE, options->profile, &error);
    if (!code)
        code = say(*said, VQEMU_INGEST_CREATED_AT, options->created_at, &error);
    if (!code)
        code = say(*said, VQEMU_INGEST_QEMU_VERSION, options->qemu_version, &error);
    if (!code)
        code = say(*said, VQEMU_INGEST_BUILD_DATE, options->build_date, &error);
    if (!code)
        code = say(*said, VQEMU_INGEST_BUILD_HOST, options->build_host, &error);
    return code ? fail_request(options->command, error) : 0;
}

int runtime_from_options(const struct options *options, const vqemu_selection *selection,
                         vqemu_runtime **runtime) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    if (store_from_options(options, 0, &store))
        return EXIT_FAILURE;

    _cleanup_ref_ vqemu_revision *ref = NULL; /* stays NULL for the newest */
    if (options->ref &&
        vqemu_store_find_revision(store, options->ref, 0, options->call, &ref, &error))
        return fail_request(options->command, error);

    uint32_t flags =
        (options->verify ? VQEMU_RESOLVE_VERIFY : 0) | (options->trust ? VQEMU_RESOLVE_TRUST : 0);
    progress_begin(options);
    int code = vqemu_resolve(store, selection, ref, flags, options->call, runtime, &error);
    progress_end();
    return code ? fail_request(options->command, error) : 0;
}

/* Behind the arguments that the document has. */
static int add_extra_args(const struct options *options, vqemu_vm *vm, vqemu_error **error) {
    char key[64];
    size_t count;
    int code = vqemu_vm_count(vm, VQEMU_KEY_EXTRA_ARGS, &count, error);
    for (size_t i = 0; !code && i < options->extra_arg_count; i++) {
        snprintf(key, sizeof key, VQEMU_KEY_EXTRA_ARGS_AT(VQEMU_KEY_ANY), count + i);
        code = vqemu_vm_set_string(vm, key, options->extra_args[i], error);
    }
    return code;
}

static int set_vm(const struct options *options, vqemu_vm *vm, vqemu_error **error) {
    bool is_uefi = options->guest_os && strcmp(options->guest_os, "uefi") == 0;
    const struct {
        const char *key, *value;
    } strings[] = {
        {VQEMU_KEY_NAME, options->name},
        {VQEMU_KEY_FIRMWARE, is_uefi ? "uefi" : NULL},
        {VQEMU_KEY_GUEST_OS, is_uefi ? NULL : options->guest_os},
        {VQEMU_KEY_ROOTFS, options->rootfs},
        {VQEMU_KEY_KERNEL, options->kernel},
        {VQEMU_KEY_INITRD, options->initrd},
        {VQEMU_KEY_APPEND, options->append},
    };
    int code = 0;
    for (size_t i = 0; !code && i < sizeof strings / sizeof *strings; i++)
        if (strings[i].value)
            code = vqemu_vm_set_string(vm, strings[i].key, strings[i].value, error);
    if (!code && options->memory >= 0)
        code = vqemu_vm_set_number(vm, VQEMU_KEY_MEMORY, (uint64_t)options->memory, error);
    if (!code && options->cpus >= 0)
        code = vqemu_vm_set_number(vm, VQEMU_KEY_CPUS, (uint64_t)options->cpus, error);
    return code ? code : add_extra_args(options, vm, error);
}

/* A document is not of the options that --help explains. */
static int fail_vm(const struct options *options, const vqemu_error *error) {
    if (!options->vm || vqemu_error_code(error) != VQEMU_ERR_INVALID)
        return fail_request(options->command, error);
    fail_text("%s; see volt-qemu schema, and docs/vm.md", vqemu_error_message(error));
    return EXIT_USAGE;
}

int vm_from_options(const struct options *options, vqemu_vm **vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    int code = options->vm ? vqemu_vm_from_file(options->vm, 0, vm, &error)
                           : vqemu_vm_new(DEFAULT_VM_NAME, vm, &error);
    if (code)
        return fail(error);

    code = set_vm(options, *vm, &error);
    if (!code)
        return 0;
    vqemu_vm_free(*vm);
    *vm = NULL;
    return fail_request(options->command, error);
}

int command_from_selection(const struct options *options, const vqemu_selection *selection,
                           vqemu_vm *vm, vqemu_command **command) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_runtime_ vqemu_runtime *runtime = NULL; /* the command keeps a reference */
    int status = runtime_from_options(options, selection, &runtime);
    if (status)
        return status;
    int code = options->user_manager ? user_directories_set(runtime, vm, &error) : 0;
    if (!code)
        code = vqemu_command_build(runtime, vm, 0, command, &error);
    return code ? fail_vm(options, error) : 0;
}

int prepare_from_options(const struct options *options, const vqemu_command *command) {
    _cleanup_error_ vqemu_error *error = NULL;
    uint32_t flags = (options->keep_variables ? VQEMU_PREPARE_KEEP_VARIABLES : 0) |
                     (options->reset_variables ? VQEMU_PREPARE_RESET_VARIABLES : 0);
    int code = vqemu_prepare(command, flags, NULL, &error);
    if (!code)
        return 0;
    int status = fail_vm(options, error);
    if (code == VQEMU_ERR_CHANGED)
        fail_text("here that is: --ref REF, or once \"volt-qemu prepare\" with --keep-variables or "
                  "--reset-variables");
    return status;
}

int command_from_options(const struct options *options, vqemu_command **command) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_selection_ vqemu_selection *selection = NULL;
    int status = vm_from_options(options, &vm);
    if (!status)
        status = selection_for_vm(options, vm, &selection);
    if (!status)
        status = command_from_selection(options, selection, vm, command);
    return status;
}
