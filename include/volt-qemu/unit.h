/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_UNIT_H
#define VOLT_QEMU_UNIT_H

#include <volt-qemu/command.h>
#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The text of a systemd service that runs a command. Every argument reaches QEMU byte for byte,
 * whatever is in names and paths (quoting: systemd.syntax(7), systemd.service(5)); where systemd
 * itself refuses a program's path or an environment value, the service goes through /bin/sh and
 * /usr/bin/env, which do not. Needs systemd 244 or newer. The caller frees *text with vqemu_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (longer than systemd reads), VQEMU_ERR_NO_MEMORY. Safe from any
 * thread. Since 1.0.
 */
int vqemu_unit_text(const vqemu_command *command, char **text, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
