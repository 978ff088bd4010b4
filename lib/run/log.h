/* SPDX-License-Identifier: MIT */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <volt-qemu/call.h>

#include "run/owner.h"

/*
 * Make a file that QEMU appends to, with mode 0600, and its directory, so that who runs QEMU need
 * not be able to make files there. One that is there stays, and becomes the VM's user's if its
 * directory is the VM's; so does what is no file, such as /dev/null.
 */
int log_prepare(const struct owner *owner, const char *path, vqemu_call *call, vqemu_error **error);

#endif
