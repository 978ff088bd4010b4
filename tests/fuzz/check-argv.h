/* SPDX-License-Identifier: MIT */
#ifndef CHECK_ARGV_H
#define CHECK_ARGV_H

#include <volt-qemu/command.h>

#include "base/json.h"

/*
 * QEMU's arguments say what the VM says and nothing else: each is an option that the library
 * writes, and takes apart, as QEMU does, into keys that it writes for that option; what the VM's
 * document has for files, names and texts comes out whole. No two devices are in one place.
 */
void check_argv(const vqemu_command *command, const json_t *document);

#endif
