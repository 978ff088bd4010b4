/* SPDX-License-Identifier: MIT */
#ifndef LIB_VM_FILES_H
#define LIB_VM_FILES_H

#include <stdbool.h>

#include <volt-qemu/command.h>

#include "run/owner.h"

/* Whether QEMU appends to the files of this key. */
bool vm_files_is_log(const char *key);

/*
 * Make sure that what a command reads and writes is there: disks, kernel, shares. A file that its
 * user certainly cannot open is an error, too: by its mode, which no group and no mount changes.
 * The error has the details "key" and "path".
 */
int vm_files_check(const vqemu_command *command, const struct owner *owner, vqemu_error **error);

#endif
