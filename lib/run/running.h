/* SPDX-License-Identifier: MIT */
#ifndef LIB_RUNNING_H
#define LIB_RUNNING_H

#include <volt-qemu/command.h>

#include "run/owner.h"

/*
 * Make sure that the VM does not run: that no QEMU has locked the PID file in its runtime
 * directory, which is open, with O_PATH or otherwise. VQEMU_ERR_BUSY, reason "runs-already", names
 * the process. A file that was left there, and that the VM's user could not open, is removed.
 */
int running_check(const vqemu_command *command, const struct owner *owner, int directory_fd,
                  vqemu_error **error);

#endif
