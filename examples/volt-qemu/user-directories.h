/* SPDX-License-Identifier: MIT */
#ifndef USER_DIRECTORIES_H
#define USER_DIRECTORIES_H

#include <volt-qemu/volt-qemu.h>

/* Where the directories of VMs are that the manager of a user runs. The caller frees them. */
char *user_runtime_base(void);
char *user_state_base(void);

/* The base that the command is to be built with anew, since its runtime directory is the default
 * one, and the caller, who is not root, cannot have that; NULL if it is good. The caller frees it.
 */
char *user_runtime_base_instead(const vqemu_command *command);

#endif
