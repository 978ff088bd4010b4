/* SPDX-License-Identifier: MIT */
#ifndef LIB_COMMAND_H
#define LIB_COMMAND_H

#include <volt-qemu/command.h>

#include "util/cleanup.h"

const char *command_vm_name(const vqemu_command *command);
const char *command_profile_name(const vqemu_command *command);

DEFINE_CLEANUP(vqemu_command, command, vqemu_command_unref);
#define _cleanup_command_ _cleanup_(cleanup_command)

#endif
