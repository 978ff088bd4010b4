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
 * How units are named, and how a guest is stopped, by keys. One owner; not to be used by two
 * threads at once. Since 1.0.
 */
typedef struct vqemu_unit_options vqemu_unit_options;

/** What the names of units begin with: up to 64 letters, digits, "_" and "-". Default: "volt-vm-".
 * A string. Since 1.0. */
#define VQEMU_UNIT_NAME_PREFIX "name_prefix"

/** A directory that the stop command needs besides /usr and where it is itself, such as that of its
 * libraries: an absolute path. The services see it, read-only. Default: none. A string. Since 1.0.
 */
#define VQEMU_UNIT_STOP_DIRECTORY "stop_directory"

/** How many seconds a guest has to switch itself off, by the command that tells it to
 * (vqemu_unit_options_set_stop_command()): up to 604800. Default, and for 0: 90. Another number
 * without such a command is refused by vqemu_units_build(), for nobody would keep to it. A number.
 * Since 1.0. */
#define VQEMU_UNIT_STOP_SECONDS "stop_seconds"

/** New options, all unset. The caller frees them with vqemu_unit_options_free(). Errors:
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_unit_options_new(vqemu_unit_options **options, vqemu_error **error);

/** Free options. NULL is allowed. Since 1.0. */
void vqemu_unit_options_free(vqemu_unit_options *options);

/** Set one of the keys above to a string, which is copied; NULL unsets it. Errors:
 * VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_INVALID (the value, or the key is a number), VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_unit_options_set_string(vqemu_unit_options *options, const char *key, const char *value,
                                  vqemu_error **error);

/** The same for a number. Errors: as of vqemu_unit_options_set_string(). Since 1.0. */
int vqemu_unit_options_set_number(vqemu_unit_options *options, const char *key, uint64_t value,
                                  vqemu_error **error);

/**
 * The command that shuts the guest down when its service is stopped: argv is copied, ends with a
 * NULL, and begins with the absolute path of a program; NULL for none. Without one, QEMU gets
 * SIGTERM and ends its guest as by a loss of power.
 *
 * systemd executes it as the service's user with three arguments more: "--timeout", the number of
 * seconds for the guest, and the path of a QMP socket, which nobody else uses. It is to tell the
 * guest to switch itself off, to end it when the time is over, and to return when QEMU has ended,
 * which can take 40 seconds more: vqemu_monitor_open() and vqemu_monitor_shut_down() do all that.
 * Its exit status is ignored. When 60 seconds more than the guest's are over, or it has returned
 * and QEMU is still there, systemd sends SIGTERM, and at last SIGKILL.
 *
 * Errors: VQEMU_ERR_INVALID (no absolute path), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_unit_options_set_stop_command(vqemu_unit_options *options, const char *const *argv,
                                        vqemu_error **error);

/**
 * The systemd units that run a VM: its own service, and a socket and a service for each program
 * that must run beside QEMU, swtpm for a TPM and virtiofsd for each share over virtiofs. They have
 * one owner; any number of threads may read them. Functions that cannot fail answer NULL or 0 for
 * NULL. Since 1.0.
 */
typedef struct vqemu_units vqemu_units;

/** How the units are made. Since 1.0. */
enum vqemu_unit_flag {
    /** For the manager of a user (systemctl --user), without what only the system's can do. */
    VQEMU_UNIT_USER_MANAGER = 8
};

/**
 * Make the units that run a VM on a profile. The command is that of vqemu_command_build() with
 * command_options and VQEMU_COMMAND_FOR_UNIT; systemd makes directories of VMs below /var/lib and
 * /run, and for the manager of a user those below /run/user/<number>. Both options may be NULL for
 * the defaults. flags are an OR of enum vqemu_unit_flag. call: as of vqemu_command_build(). vm and
 * options may be changed or freed afterwards. On success the caller frees *units with
 * vqemu_units_free().
 *
 * Every argument reaches QEMU byte for byte, whatever is in names and paths (systemd.syntax(7),
 * systemd.service(5)); where systemd itself refuses a program's path or an environment value, the
 * service goes through /bin/sh and /usr/bin/env, which do not.
 *
 * Services of the system run as the VM's user (key "user"), which it must have; "root" is one by
 * its name. They see an empty root directory with the host's programs, the profile and what the VM
 * uses, of devices and network only what it uses, and other processes not at all (systemd.exec(5)).
 * Where files lie decides that too, and who can put something else in their place: what others than
 * root can exchange is not followed beyond the directory in which they can, all of which is in
 * sight then. With extra arguments, which may use anything, only what concerns the kernel is taken
 * away; a comment in the unit says so, as of all else that is less confined. What only a disk image
 * names, such as a data file, is not in sight. A user's manager has fewer means.
 *
 * Needs systemd 247 or newer. The VM's state and runtime directories, that of its TPM, and logs
 * outside of these must be there when the service starts, unless systemd makes them: a VM that
 * names directories of its own needs vqemu_prepare().
 *
 * Errors: those of vqemu_command_build(); VQEMU_ERR_INVALID (reason "no-user": the VM has none; for
 * a user's manager, a VM with a user, or with a runtime directory that no user has),
 * VQEMU_ERR_UNSUPPORTED (descriptors of the caller, which a unit cannot pass on; a command longer
 * than systemd reads; paths that systemd, swtpm or virtiofsd cannot be given, reason
 * "path-in-unit"; reason "socket-outside": a socket in none of the VM's directories; a read-only
 * share over virtiofs in a user's manager), VQEMU_ERR_REFUSED (reason "symbolic-link": a path that
 * goes by a link to a directory of others than root), VQEMU_ERR_SYSTEM (a path that may not be
 * looked at), VQEMU_ERR_USAGE (also reason "flags-at-odds": a time to stop, and no stop command).
 * The detail "key" tells which key it is about, or "path" which path. The units take a
 * reference to the runtime. Safe from any thread. Since 1.0.
 */
int vqemu_units_build(vqemu_runtime *runtime, const vqemu_vm *vm,
                      const vqemu_command_options *command_options,
                      const vqemu_unit_options *options, uint32_t flags, vqemu_call *call,
                      vqemu_units **units, vqemu_error **error);

/** Free units. NULL is allowed. Since 1.0. */
void vqemu_units_free(vqemu_units *units);

/** What the VM's service executes. Borrowed; take a reference to keep it. Since 1.0. */
vqemu_command *vqemu_units_command(const vqemu_units *units);

/** How many units there are: at least 1. Since 1.0. */
size_t vqemu_units_count(const vqemu_units *units);

/**
 * The file name of a unit, such as "volt-vm-web.service"; NULL beyond the count. The first is the
 * VM's service, which starts and stops the others. Borrowed. Since 1.0.
 */
const char *vqemu_units_name(const vqemu_units *units, size_t index);

/** The text of a unit, for a file of that name. NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_units_text(const vqemu_units *units, size_t index);

#ifdef __cplusplus
}
#endif

#endif
