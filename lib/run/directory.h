/* SPDX-License-Identifier: MIT */
/*
 * The directories of a VM. One that is made for it, or was empty, gets a file that says so,
 * MARKER, with the id of the VM: only such a directory is ever given from root to the VM's user,
 * and the library's own (below COMMAND_STATE_BASE and COMMAND_RUNTIME_BASE), whose names say it.
 */
#ifndef LIB_DIRECTORY_H
#define LIB_DIRECTORY_H

#include <stdbool.h>

#include <volt-qemu/call.h>

#include "run/owner.h"

#define DIRECTORY_MARKER ".volt-vm"

enum directory_use {
    DIRECTORY_SHARED,  /* may have files of others: it is nobody's that was there before */
    DIRECTORY_OWN,     /* the VM's own */
    DIRECTORY_PRIVATE, /* with mode 0700 */
};

/*
 * Open a directory of the VM, by its absolute path, after it was made if it was missing, and given
 * to the VM's user. *is_vms tells whether it is known to be the VM's own. The caller closes *fd,
 * which is open with O_PATH. Errors have a reason and the detail "path".
 */
int directory_prepare(const struct owner *owner, const char *path, enum directory_use use,
                      vqemu_call *call, int *fd, bool *is_vms, vqemu_error **error);

/* The refusal of a file system on which what was made for one user is open to others. */
int directory_refuse_modes(const char *path, vqemu_error **error);

#endif
