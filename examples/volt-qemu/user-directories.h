/* SPDX-License-Identifier: MIT */
/* The directories of VMs that a user runs. */
#ifndef USER_DIRECTORIES_H
#define USER_DIRECTORIES_H

#include <volt-qemu/volt-qemu.h>

/*
 * The default directories belong to the system: where the VM has these, it gets the user's own,
 * below $XDG_RUNTIME_DIR and $XDG_STATE_HOME. Returns a code of the library.
 */
int user_directories_set(vqemu_runtime *runtime, vqemu_vm *vm, vqemu_error **error);

/* Whether the command is to be built anew, since the caller is not root, and cannot have the
 * default runtime directory: then the VM has got the user's own. Returns that, or a code of the
 * library. */
int user_directories_set_runtime(const vqemu_command *command, vqemu_vm *vm, vqemu_error **error);

#endif
