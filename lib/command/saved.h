/* SPDX-License-Identifier: MIT */
/* What vqemu_command_save() writes and vqemu_command_load() reads. */
#ifndef LIB_SAVED_H
#define LIB_SAVED_H

#define SAVED_NAME "volt-command "
#define SAVED_FORMAT SAVED_NAME "1"

#endif
