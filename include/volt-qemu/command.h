/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_COMMAND_H
#define VOLT_QEMU_COMMAND_H

#include <stddef.h>

#include <volt-qemu/error.h>
#include <volt-qemu/runtime.h>
#include <volt-qemu/vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What to execute to run a VM: program, arguments, environment, working directory.
 *
 * The same runtime and VM always give the same command. Immutable and reference counted; any number
 * of threads may use it. It keeps its runtime, and so the lease on the tree, alive. Since 1.0.
 */
typedef struct vqemu_command vqemu_command;

/**
 * Build the command that runs a VM on a profile. The machine, CPU model, console and device models
 * come from the row of the guest-architecture table, and from the guest's operating system where
 * the VM does not set them. Only UEFI firmware is looked up on disk, in the runtime's firmware
 * directory. vm may be changed or freed afterwards. On success the caller releases *command with
 * vqemu_command_unref().
 *
 * What the command needs besides QEMU must be there when it is executed: see vqemu_prepare(), and
 * vqemu_command_fd() for descriptors.
 *
 * Errors: VQEMU_ERR_INVALID (what was asked for does not go together; the message begins with the
 * key, as "disks[0].aio"), VQEMU_ERR_UNSUPPORTED (the profile or machine cannot have it; the
 * message tells which profiles can), VQEMU_ERR_MALFORMED (a broken firmware descriptor in the
 * profile), VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_build(vqemu_runtime *runtime, const vqemu_vm *vm, vqemu_command **command,
                        vqemu_error **error);

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_command *vqemu_command_ref(vqemu_command *command);

/** Release a reference; the last one frees the command. NULL is allowed. Since 1.0. */
void vqemu_command_unref(vqemu_command *command);

/** The runtime the command was built for, and whose lease it keeps. Borrowed. Since 1.0. */
vqemu_runtime *vqemu_command_runtime(const vqemu_command *command);

/** The program to execute: an absolute path, the same as argv[0]. Borrowed. Since 1.0. */
const char *vqemu_command_path(const vqemu_command *command);

/**
 * The arguments, argv[0] included, as a NULL-terminated array for execve(2), which wants it without
 * const; neither array nor strings may be changed. Borrowed. Since 1.0.
 */
char *const *vqemu_command_argv(const vqemu_command *command);

/**
 * The whole environment, as a NULL-terminated array of "NAME=value" for execve(2). Nothing of the
 * caller's environment belongs to it. Borrowed. Since 1.0.
 */
char *const *vqemu_command_envp(const vqemu_command *command);

/**
 * The directory to execute in. QEMU looks for firmware in its working directory before anywhere
 * else, so it must be one that nobody else writes to. Borrowed. Since 1.0.
 */
const char *vqemu_command_cwd(const vqemu_command *command);

/** The directory of what the VM keeps: see vqemu_vm_set_state_dir(). Borrowed. Since 1.0. */
const char *vqemu_command_state_dir(const vqemu_command *command);

/** The directory of the VM's sockets: see vqemu_vm_set_runtime_dir(). Borrowed. Since 1.0. */
const char *vqemu_command_runtime_dir(const vqemu_command *command);

/**
 * The descriptors that the VM named by number, and that the caller must pass on to QEMU: open in
 * the child under the same numbers, and without close-on-exec. Since 1.0.
 */
size_t vqemu_command_fd_count(const vqemu_command *command);

/** Such a descriptor; -1 beyond the count. Since 1.0. */
int vqemu_command_fd(const vqemu_command *command, size_t index);

/**
 * A digest that is the same exactly if arguments, environment and profile are: the SHA-256, in 64
 * hex digits, of the decimal number of arguments, each argument, the decimal number of variables,
 * each variable, and the profile's digest, each followed by a NUL byte. Borrowed. Since 1.0.
 */
const char *vqemu_command_fingerprint(const vqemu_command *command);

/**
 * The command as text for a POSIX shell, over several lines, ending in a newline: a
 * subshell that changes directory and executes with exactly this environment. The caller frees
 * *text with vqemu_free(). Errors: VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_to_shell(const vqemu_command *command, char **text, vqemu_error **error);

/**
 * The command as JSON text, ending in a newline: an object with "argv" and "env" (arrays of
 * strings), "cwd" and "fingerprint". The caller frees *text with vqemu_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (a string is not UTF-8, which JSON cannot carry),
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_command_to_json(const vqemu_command *command, char **text, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
