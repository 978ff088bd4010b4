/* SPDX-License-Identifier: MIT */
/* What the units of a VM are written from. */
#ifndef LIB_UNIT_PLAN_H
#define LIB_UNIT_PLAN_H

#include <stdbool.h>

#include "command/command.h"
#include "unit/options.h"
#include "util/strbuf.h"
#include "vm/vm.h"

struct unit_plan {
    const vqemu_vm *vm;
    const vqemu_command *command;
    const struct resources *uses;
    struct unit_settings settings;
    bool for_user; /* the manager of a user, who is not root */
    /* What RuntimeDirectory= and StateDirectory= say, where systemd makes the directory of the
     * sockets, and that of the state, which is used; else NULL. */
    const char *runtime_directory, *state_directory;
    bool uses_state_dir;
};

/* Which directories systemd makes; the rest of the plan is set. */
void unit_plan_directories(struct unit_plan *plan);

/* Whether path is directory, or below it. */
bool unit_is_below(const char *path, const char *directory);

/* The program that stops the guest; NULL if there is none. */
const char *unit_stop_program(const struct unit_plan *plan);

/* Whether a path is in a directory of the VM's that systemd makes, and then gives to the service.
 */
bool unit_is_provided(const struct unit_plan *plan, const char *path);

/* Whether a path is in a directory of the VM's, which its service has all of. */
bool unit_is_own(const struct unit_plan *plan, const char *path);

/* Whether QEMU, or a program beside it, runs as root, which must be asked for by name. */
bool unit_is_root(const struct unit_plan *plan);
bool unit_companion_is_root(const struct unit_plan *plan, const struct companion *companion);

/* Whom a service runs as. */
void unit_add_user(const struct unit_plan *plan, struct strbuf *text);

#endif
