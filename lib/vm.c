/* SPDX-License-Identifier: MIT */
#include "vm.h"

#include <string.h>

#include "error.h"
#include "util/export.h"
#include "util/strv.h"

#define NAME_LENGTH_MAX 255
#define MEMORY_MAX ((uint64_t)16 * 1024 * 1024) /* MiB */
#define CPUS_MAX 4096

struct vqemu_vm {
    char *name;
    uint64_t memory; /* MiB; 0 for the default */
    uint32_t cpus;   /* 0 for the default */
    char *rootfs, *kernel, *initrd, *append;
    struct strv extra_args;
};

VQEMU_EXPORT int vqemu_vm_new(const char *name, vqemu_vm **vm, vqemu_error **error) {
    *vm = NULL;
    _cleanup_vm_ vqemu_vm *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    int r = vqemu_vm_set_name(new, name, error);
    if (r < 0)
        return r;
    *vm = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT void vqemu_vm_free(vqemu_vm *vm) {
    if (!vm)
        return;
    free(vm->name);
    free(vm->rootfs);
    free(vm->kernel);
    free(vm->initrd);
    free(vm->append);
    strv_release(&vm->extra_args);
    free(vm);
}

static int set_string(char **field, const char *value, vqemu_error **error) {
    char *copy = value ? strdup(value) : NULL;
    if (value && !copy)
        return error_no_memory(error);
    free(*field);
    *field = copy;
    return 0;
}

/* QEMU does not run in the caller's working directory, so a relative path would mean another file.
 */
static int set_path(char **field, const char *what, const char *path, vqemu_error **error) {
    if (!path || !*path)
        return set_string(field, NULL, error);
    if (*path != '/')
        return error_set(error, VQEMU_ERR_INVALID, 0, "the %s \"%s\" is not an absolute path", what,
                         path);
    return set_string(field, path, error);
}

VQEMU_EXPORT int vqemu_vm_set_name(vqemu_vm *vm, const char *name, vqemu_error **error) {
    if (!name || !*name)
        return error_set(error, VQEMU_ERR_INVALID, 0, "the VM has no name");
    if (strlen(name) > NAME_LENGTH_MAX)
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "the name of the VM has %zu bytes; it can have %d", strlen(name),
                         NAME_LENGTH_MAX);
    return set_string(&vm->name, name, error);
}

VQEMU_EXPORT int vqemu_vm_set_memory(vqemu_vm *vm, uint64_t mib, vqemu_error **error) {
    if (mib > MEMORY_MAX)
        return error_set(error, VQEMU_ERR_INVALID, 0, "%ju MiB of memory is more than %ju (16 TiB)",
                         (uintmax_t)mib, (uintmax_t)MEMORY_MAX);
    vm->memory = mib;
    return 0;
}

VQEMU_EXPORT int vqemu_vm_set_cpus(vqemu_vm *vm, uint32_t cpus, vqemu_error **error) {
    if (cpus > CPUS_MAX)
        return error_set(error, VQEMU_ERR_INVALID, 0, "%u CPUs are more than %d", (unsigned)cpus,
                         CPUS_MAX);
    vm->cpus = cpus;
    return 0;
}

VQEMU_EXPORT int vqemu_vm_set_rootfs(vqemu_vm *vm, const char *directory, vqemu_error **error) {
    return set_path(&vm->rootfs, "rootfs", directory, error);
}

VQEMU_EXPORT int vqemu_vm_set_kernel(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return set_path(&vm->kernel, "kernel", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_initrd(vqemu_vm *vm, const char *path, vqemu_error **error) {
    return set_path(&vm->initrd, "initrd", path, error);
}

VQEMU_EXPORT int vqemu_vm_set_append(vqemu_vm *vm, const char *command_line, vqemu_error **error) {
    return set_string(&vm->append, command_line, error);
}

VQEMU_EXPORT int vqemu_vm_add_extra_arg(vqemu_vm *vm, const char *argument, vqemu_error **error) {
    if (!argument)
        return error_set(error, VQEMU_ERR_INVALID, 0, "an extra argument is NULL");
    strv_add(&vm->extra_args, argument);
    if (!vm->extra_args.failed)
        return 0;
    vm->extra_args.failed = false; /* those that were added before are still good */
    return error_no_memory(error);
}

VQEMU_EXPORT const char *vqemu_vm_name(const vqemu_vm *vm) {
    return vm->name;
}

VQEMU_EXPORT uint64_t vqemu_vm_memory(const vqemu_vm *vm) {
    return vm->memory;
}

VQEMU_EXPORT uint32_t vqemu_vm_cpus(const vqemu_vm *vm) {
    return vm->cpus;
}

VQEMU_EXPORT const char *vqemu_vm_rootfs(const vqemu_vm *vm) {
    return vm->rootfs;
}

VQEMU_EXPORT const char *vqemu_vm_kernel(const vqemu_vm *vm) {
    return vm->kernel;
}

VQEMU_EXPORT const char *vqemu_vm_initrd(const vqemu_vm *vm) {
    return vm->initrd;
}

VQEMU_EXPORT const char *vqemu_vm_append(const vqemu_vm *vm) {
    return vm->append;
}

VQEMU_EXPORT size_t vqemu_vm_extra_arg_count(const vqemu_vm *vm) {
    return vm->extra_args.count;
}

VQEMU_EXPORT const char *vqemu_vm_extra_arg(const vqemu_vm *vm, size_t index) {
    return index < vm->extra_args.count ? vm->extra_args.items[index] : NULL;
}
