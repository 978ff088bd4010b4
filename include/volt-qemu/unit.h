/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_UNIT_H
#define VOLT_QEMU_UNIT_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/command.h>
#include <volt-qemu/error.h>
#include <volt-qemu/runtime.h>
#include <volt-qemu/vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The systemd units that run a VM: its own service, and a socket and a service for each program
 * that must run beside QEMU, swtpm for a TPM and virtiofsd for each share over virtiofs. They have
 * one owner; any number of threads may read them. Since 1.0.
 */
typedef struct vqemu_unit vqemu_unit;

/** How the units are made. Since 1.0. */
enum vqemu_unit_flag {
    /** For the manager of a user (systemctl --user), without what only the system's can do. */
    VQEMU_UNIT_USER = 1
};

/**
 * Make the units that run a VM on a profile. The command is that of vqemu_command_build(), with two
 * QMP sockets more in the VM's runtime directory: qmp.sock, for the caller, unless the VM names
 * another place for that; and unit.sock, by which the service stops the guest.
 *
 * helper is the absolute path of a volt-qemu program, which stopping the service starts to shut the
 * guest down in order (vqemu_shutdown()), and which has 90 s for that; with NULL, QEMU gets SIGTERM
 * and ends its guest as by a loss of power. flags are an OR of enum vqemu_unit_flag. vm may be
 * changed or freed afterwards. On success the caller frees *unit with vqemu_unit_free().
 *
 * Every argument reaches QEMU byte for byte, whatever is in names and paths (systemd.syntax(7),
 * systemd.service(5)); where systemd itself refuses a program's path or an environment value, the
 * service goes through /bin/sh and /usr/bin/env, which do not.
 *
 * Services of the system are confined to what the VM uses (systemd.exec(5)): its files, devices,
 * network and capabilities. Where files lie decides that too, so links are resolved as they are
 * now. A backing file of a disk image, which only the image names, is not reachable if it lies in
 * /home, /root, /tmp or /var/tmp and no other file of the VM does. With extra arguments, which may
 * use anything, only what concerns the kernel is taken away. A user's manager has fewer means.
 *
 * Needs systemd 247 or newer. What the VM's state and runtime directories are must be there when
 * the service starts, except below /var/lib/volt/vms and /run/volt, where systemd makes them; see
 * vqemu_prepare().
 *
 * Errors: those of vqemu_command_build(), VQEMU_ERR_INVALID (a helper that is no absolute path;
 * unknown flags; for a user's manager, a VM with a user, or with a runtime directory that no user
 * has), VQEMU_ERR_UNSUPPORTED (descriptors of the caller, which a unit cannot pass on; a command
 * longer than systemd reads; paths that systemd, swtpm or virtiofsd cannot be given; a read-only
 * share over virtiofs in a user's manager), VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_unit_build(vqemu_runtime *runtime, const vqemu_vm *vm, const char *helper, uint32_t flags,
                     vqemu_unit **unit, vqemu_error **error);

/** Free units. NULL is allowed. Since 1.0. */
void vqemu_unit_free(vqemu_unit *unit);

/** What the VM's service executes. Borrowed. Since 1.0. */
const vqemu_command *vqemu_unit_command(const vqemu_unit *unit);

/** How many units there are: at least 1. Since 1.0. */
size_t vqemu_unit_count(const vqemu_unit *unit);

/**
 * The file name of a unit, such as "volt-web.service"; NULL beyond the count. The first is the
 * VM's service, which starts and stops the others. Borrowed. Since 1.0.
 */
const char *vqemu_unit_name(const vqemu_unit *unit, size_t index);

/** The text of a unit, for a file of that name. NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_unit_text(const vqemu_unit *unit, size_t index);

#ifdef __cplusplus
}
#endif

#endif
