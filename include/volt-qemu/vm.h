/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_VM_H
#define VOLT_QEMU_VM_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A virtual machine as its user describes it: what to run, not how.
 *
 * Filled by setters, or read from a JSON document. Mutable; one owner, one thread at a time.
 * Strings are copied. Since 1.0.
 */
typedef struct vqemu_vm vqemu_vm;

/**
 * Make a VM with the defaults: the architecture's default memory (256 MiB, more where its machine
 * needs more) and 1 CPU.
 *
 * name: 1 to 255 bytes, any but NUL. On success the caller frees *vm with vqemu_vm_free().
 *
 * Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_new(const char *name, vqemu_vm **vm, vqemu_error **error);

/**
 * Read a VM from size bytes of JSON text: an object with the keys "name" (required, string),
 * "memory" (integer, MiB), "cpus" (integer), "rootfs", "kernel", "initrd" (absolute paths),
 * "append" (string) and "extra_args" (array of strings). Each key means what the setter of that
 * name says. Unknown keys are refused. source stands for the document in messages; NULL means "VM
 * description".
 *
 * Errors: VQEMU_ERR_MALFORMED (the message gives line or key), VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_from_json(const char *text, size_t size, const char *source, vqemu_vm **vm,
                       vqemu_error **error);

/**
 * Read a VM from a JSON file of at most 1 MiB. Otherwise like vqemu_vm_from_json().
 *
 * Errors: also VQEMU_ERR_NOT_FOUND, VQEMU_ERR_SYSTEM. Since 1.0.
 */
int vqemu_vm_from_file(const char *path, vqemu_vm **vm, vqemu_error **error);

/** Free a VM. NULL is allowed. Since 1.0. */
void vqemu_vm_free(vqemu_vm *vm);

/** Change the name; see vqemu_vm_new(). Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_name(vqemu_vm *vm, const char *name, vqemu_error **error);

/** The name. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_name(const vqemu_vm *vm);

/**
 * Set the memory in MiB, 1 to 16777216 (16 TiB); 0 means the default. What a machine can have is
 * checked when a command is built. Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_vm_set_memory(vqemu_vm *vm, uint64_t mib, vqemu_error **error);

/** The memory in MiB; 0 if the default is to be used. Since 1.0. */
uint64_t vqemu_vm_memory(const vqemu_vm *vm);

/**
 * Set the number of virtual CPUs, 1 to 4096; 0 means the default, 1. Errors: VQEMU_ERR_INVALID.
 * Since 1.0.
 */
int vqemu_vm_set_cpus(vqemu_vm *vm, uint32_t cpus, vqemu_error **error);

/** The number of virtual CPUs; 0 if the default is to be used. Since 1.0. */
uint32_t vqemu_vm_cpus(const vqemu_vm *vm);

/**
 * Set the directory that becomes the guest's root file system, shared read-only over 9p with the
 * mount tag "rootfs". An absolute path; NULL or "" for none. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_rootfs(vqemu_vm *vm, const char *directory, vqemu_error **error);

/** The root file system's directory; NULL for none. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_rootfs(const vqemu_vm *vm);

/**
 * Set the kernel to boot. An absolute path; NULL or "" for none. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_kernel(vqemu_vm *vm, const char *path, vqemu_error **error);

/** The kernel; NULL for none. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_kernel(const vqemu_vm *vm);

/**
 * Set the initial RAM disk; needs a kernel when a command is built. An absolute path; NULL or ""
 * for none. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_initrd(vqemu_vm *vm, const char *path, vqemu_error **error);

/** The initial RAM disk; NULL for none. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_initrd(const vqemu_vm *vm);

/**
 * Set the whole kernel command line; needs a kernel when a command is built. NULL means the
 * default: "root=rootfs rootfstype=9p rootflags=trans=virtio,version=9p2000.L console=<the
 * machine's> panic=1", without the root options if there is an initrd but no rootfs. "" means an
 * empty command line. Errors: VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_set_append(vqemu_vm *vm, const char *command_line, vqemu_error **error);

/** The kernel command line; NULL for the default. Borrowed until it is set again. Since 1.0. */
const char *vqemu_vm_append(const vqemu_vm *vm);

/**
 * Add one argument to the end of QEMU's, verbatim. Nothing checks what it does: it can undo any of
 * the defaults. Errors: VQEMU_ERR_INVALID (NULL), VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_vm_add_extra_arg(vqemu_vm *vm, const char *argument, vqemu_error **error);

/** How many extra arguments there are. Since 1.0. */
size_t vqemu_vm_extra_arg_count(const vqemu_vm *vm);

/** An extra argument; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_vm_extra_arg(const vqemu_vm *vm, size_t index);

#ifdef __cplusplus
}
#endif

#endif
