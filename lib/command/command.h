/* SPDX-License-Identifier: MIT */
#ifndef LIB_COMMAND_H
#define LIB_COMMAND_H

#include <stdatomic.h>

#include <volt-qemu/command.h>

#include "base/digest.h"
#include "command/command-options.h"
#include "command/firmware.h"
#include "command/option.h"
#include "command/resources.h"
#include "util/cleanup.h"
#include "util/strv.h"
#include "vm/identity.h"

struct vqemu_command {
    atomic_uint references;
    vqemu_runtime *runtime; /* keeps the lease */
    struct strv argv, envp; /* of which the words are in the options' memory */
    char *cwd;
    struct options options; /* behind the program; none in a command that was loaded */
    struct digest digest, hardware;
    /* For what is made of it besides: */
    char *vm_name, *user, *vnc_password_file; /* the last two may be NULL */
    char id[IDENTITY_ID_MAX + 1];
    char *state_dir, *runtime_dir;
    struct nvram nvram; /* without a path if there is none */
    struct resources resources;
};

/* vqemu_command_build(); arguments are good. */
int command_build(vqemu_runtime *runtime, const vqemu_vm *vm,
                  const struct command_settings *settings, uint32_t flags, vqemu_command **command,
                  vqemu_error **error);

/* An empty one, with a reference to its runtime; NULL without memory. */
vqemu_command *command_new(vqemu_runtime *runtime);

/* What vqemu_command_digest() calls "command". */
struct digest command_digest(const vqemu_command *command);

/* Fails for a command that was loaded. */
int command_require_origins(const vqemu_command *command, vqemu_error **error);
/* How many words come before the options: the program, and what executes it. */
size_t command_program_word_count(const vqemu_command *command);

const char *command_profile_name(const vqemu_command *command);
/* NULL for none. */
const char *command_vnc_password_file(const vqemu_command *command);
/* The VM's UEFI variables; NULL if it has none. */
const struct nvram *command_nvram(const vqemu_command *command);
const struct resources *command_resources(const vqemu_command *command);

DEFINE_CLEANUP(vqemu_command, command, vqemu_command_unref);
#define _cleanup_command_ _cleanup_(cleanup_command)

#endif
