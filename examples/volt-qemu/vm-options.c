/* SPDX-License-Identifier: MIT */
#include "vm-options.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "patience.h"
#include "text.h"

/* ---- documents ---- */

/* More than a description of a VM may have: the library refuses that. */
#define MAX_INPUT ((1 << 20) + 1)

static int read_standard_input(const struct options *options, vqemu_vm **vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *text = grow(NULL, MAX_INPUT);
    size_t size;
    int problem = read_patiently(STDIN_FILENO, text, MAX_INPUT, patience_end(options), &size);
    if (problem < 0)
        return fail_impatient(options, "the VM from standard input");
    if (problem)
        return fail_system(problem, "cannot read the VM from standard input");
    return vqemu_vm_from_json(text, size, "standard input", 0, vm, &error) ? fail_vm(error) : 0;
}

int vm_from_document(const struct options *options, const char *path, vqemu_vm **vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (strcmp(path, "-") == 0)
        return read_standard_input(options, vm);
    return vqemu_vm_from_file(path, 0, vm, &error) ? fail_vm(error) : 0;
}

/* ---- options ---- */

/* Behind the arguments that the document has. */
static int add_extra_args(const struct options *options, vqemu_vm *vm, vqemu_error **error) {
    char key[64];
    size_t count;
    int code = vqemu_vm_count(vm, VQEMU_KEY_EXTRA_ARGS, &count, error);
    for (size_t i = 0; !code && i < options->extra_arg_count; i++) {
        snprintf(key, sizeof key, VQEMU_KEY_EXTRA_ARGS_AT(VQEMU_KEYS_ANY), count + i);
        code = vqemu_vm_set_string(vm, key, options->extra_args[i], error);
    }
    return code;
}

static int set_vm(const struct options *options, vqemu_vm *vm, vqemu_error **error) {
    bool is_uefi = options_guest_is_uefi(options);
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

static int new_vm(vqemu_vm **vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    return vqemu_vm_new(DEFAULT_VM_NAME, vm, &error) ? fail(error) : 0;
}

/* As a request does, so that a document is not blamed for it. */
static int check_guest_os(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_request_ vqemu_request *request = NULL;
    int code = vqemu_request_new(&request, &error);
    if (!code && !options_guest_is_uefi(options))
        code = vqemu_request_set_string(request, VQEMU_REQUEST_GUEST_OS, options->guest_os, &error);
    return code ? fail_request(options->command, error) : 0;
}

int vm_from_options(const struct options *options, vqemu_vm **vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    int status = check_guest_os(options);
    if (!status)
        status = options->vm ? vm_from_document(options, options->vm, vm) : new_vm(vm);
    if (status)
        return status;
    if (set_vm(options, *vm, &error))
        return fail_request(options->command, error);
    return vm_apply_settings(options, *vm);
}
