/* SPDX-License-Identifier: MIT */
#ifndef LIB_COMMAND_H
#define LIB_COMMAND_H

#include <volt-qemu/command.h>

#include "command/firmware.h"
#include "command/resources.h"
#include "util/cleanup.h"

/* The command of a service: it also has the QMP sockets qmp.sock (unless the VM names another) and
 * unit.sock in the runtime directory. */
int command_build_for_unit(vqemu_runtime *runtime, const vqemu_vm *vm, vqemu_command **command,
                           vqemu_error **error);

const char *command_vm_name(const vqemu_command *command);
const char *command_profile_name(const vqemu_command *command);
/* The VM's name as it can stand in names of files and units. */
const char *command_vm_id(const vqemu_command *command);
/* Whom the service runs as; NULL for the manager's own user. */
const char *command_user(const vqemu_command *command);
/* NULL for none. */
const char *command_vnc_password_file(const vqemu_command *command);
/* The QMP socket by which the service stops the guest; NULL if it was not built for a service. */
const char *command_stop_socket(const vqemu_command *command);
/* The VM's UEFI variables; NULL if it has none. */
const struct nvram *command_nvram(const vqemu_command *command);
const struct resources *command_resources(const vqemu_command *command);

DEFINE_CLEANUP(vqemu_command, command, vqemu_command_unref);
#define _cleanup_command_ _cleanup_(cleanup_command)

#endif
