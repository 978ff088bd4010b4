/* SPDX-License-Identifier: MIT */
/* What the units of a VM are written from. */
#ifndef LIB_UNIT_PLAN_H
#define LIB_UNIT_PLAN_H

#include <stdbool.h>

#include "command/command.h"
#include "util/strbuf.h"
#include "vm/vm.h"

struct unit_plan {
    const vqemu_vm *vm;
    const vqemu_command *command;
    const struct resources *uses;
    const char *helper;   /* NULL: none */
    bool for_user;        /* the manager of a user, who is not root */
    bool has_runtime_dir; /* systemd makes the directory of the sockets, */
    bool has_state_dir;   /* and that of the state, which is used */
};

/* Which directories systemd makes; the rest of the plan is set. */
void unit_plan_directories(struct unit_plan *plan);

/* Whether path is directory, or below it. */
bool unit_is_below(const char *path, const char *directory);

/* Whom a service runs as. */
void unit_add_user(const struct unit_plan *plan, struct strbuf *text);

#endif
