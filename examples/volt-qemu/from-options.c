/* SPDX-License-Identifier: MIT */
#include "from-options.h"

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

void store_set_limits(const struct options *options, vqemu_store *store) {
    if (options->threads > 0)
        vqemu_store_set_threads(store, (uint32_t)options->threads);
    if (options->max_size > 0)
        vqemu_store_set_max_import_size(store, (uint64_t)options->max_size);
    if (options->max_objects > 0)
        vqemu_store_set_max_objects(store, (size_t)options->max_objects);
}

int store_from_options(const struct options *options, uint32_t flags, vqemu_store **store) {
    _cleanup_error_ vqemu_error *error = NULL;
    const char *root = options->root ? options->root : DEFAULT_ROOT;
    int code;
    if (options->read_only)
        flags = VQEMU_STORE_READ_ONLY;
    if (options->objects)
        code = vqemu_store_open_directories(options->objects, options->refs, options->trees,
                                            options->links, flags, store, &error);
    else
        code = vqemu_store_open(root, flags, store, &error);
    if (code)
        return fail(error);
    store_set_limits(options, *store);
    return 0;
}

int ref_from_operand(const struct options *options, vqemu_store *store, vqemu_revision **ref) {
    _cleanup_error_ vqemu_error *error = NULL;
    int code = vqemu_profile_find(options->operand)
                   ? vqemu_store_newest_revision(store, options->operand, ref, &error)
                   : vqemu_store_find_revision(store, options->operand, ref, &error);
    return code ? fail_request(options->command, error) : 0;
}

int build_info_from_options(const struct options *options, vqemu_build_info **info) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (!options->created_at && !options->qemu_version && !options->build_date &&
        !options->build_host)
        return 0;
    int code = vqemu_build_info_new(info, &error);
    if (!code && options->created_at)
        code = vqemu_build_info_set_created_at(*info, options->created_at, &error);
    if (!code && options->qemu_version)
        code = vqemu_build_info_set_qemu_version(*info, options->qemu_version, &error);
    if (!code && options->build_date)
        code = vqemu_build_info_set_build_date(*info, options->build_date, &error);
    if (!code && options->build_host)
        code = vqemu_build_info_set_build_host(*info, options->build_host, &error);
    return code ? fail_request(options->command, error) : 0;
}

int runtime_from_options(const struct options *options, const vqemu_selection *selection,
                         vqemu_runtime **runtime) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    if (store_from_options(options, 0, &store))
        return EXIT_FAILURE;

    _cleanup_ref_ vqemu_revision *ref = NULL; /* stays NULL for the newest */
    if (options->ref && vqemu_store_find_revision(store, options->ref, &ref, &error))
        return fail_request(options->command, error);

    uint32_t flags =
        (options->verify ? VQEMU_RESOLVE_VERIFY : 0) | (options->trust ? VQEMU_RESOLVE_TRUST : 0);
    struct progress progress;
    progress_begin(&progress);
    int code = vqemu_resolve_revision(store, selection, ref, flags, progress_step, &progress,
                                      runtime, &error);
    progress_end(&progress);
    return code ? fail_request(options->command, error) : 0;
}

static int set_vm(const struct options *options, vqemu_vm *vm, vqemu_error **error) {
    int code = 0;
    if (options->name)
        code = vqemu_vm_set_name(vm, options->name, error);
    if (!code && options->guest_os && strcmp(options->guest_os, "uefi") == 0)
        code = vqemu_vm_set_firmware(vm, "uefi", error);
    else if (!code && options->guest_os)
        code = vqemu_vm_set_guest_os(vm, options->guest_os, error);
    if (!code && options->memory >= 0)
        code = vqemu_vm_set_memory(vm, (uint64_t)options->memory, error);
    if (!code && options->cpus >= 0)
        code = vqemu_vm_set_cpus(vm, (uint32_t)options->cpus, error);
    if (!code && options->rootfs)
        code = vqemu_vm_set_rootfs(vm, options->rootfs, error);
    if (!code && options->kernel)
        code = vqemu_vm_set_kernel(vm, options->kernel, error);
    if (!code && options->initrd)
        code = vqemu_vm_set_initrd(vm, options->initrd, error);
    if (!code && options->append)
        code = vqemu_vm_set_append(vm, options->append, error);
    for (size_t i = 0; !code && i < options->extra_arg_count; i++)
        code = vqemu_vm_add_extra_arg(vm, options->extra_args[i], error);
    return code;
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
    int code = options->vm ? vqemu_vm_from_file(options->vm, vm, &error)
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
