/* SPDX-License-Identifier: MIT */
/* What the units of a VM are written from. All functions remember failed allocations in text. */
#ifndef LIB_UNIT_H
#define LIB_UNIT_H

#include <stdbool.h>
#include <stddef.h>

#include <volt-qemu/unit.h>

#include "command.h"
#include "util/strbuf.h"
#include "vm.h"

struct unit_plan {
    const vqemu_vm *vm;
    const vqemu_command *command;
    const struct resources *uses;
    const char *helper;   /* NULL: none */
    bool for_user;        /* the manager of a user, who is not root */
    bool has_runtime_dir; /* systemd makes the directory of the sockets, */
    bool has_state_dir;   /* and that of the state, which is used */
};

/* Whether path is directory, or below it. */
bool unit_is_below(const char *path, const char *directory);

/* ---- unit-service.c ---- */

/* The VM's own service. */
int unit_add_service(const struct unit_plan *plan, struct strbuf *text, vqemu_error **error);

/* The user, the directories that systemd makes, and the environment that nobody passes on. */
void unit_add_user(const struct unit_plan *plan, struct strbuf *text);
void unit_add_clean_environment(struct strbuf *text);

/* ---- unit-companion.c ---- */

int unit_check_companion(const struct unit_plan *plan, size_t index, vqemu_error **error);
/* The name without ".socket" or ".service". */
void unit_add_companion_name(const struct unit_plan *plan, size_t index, struct strbuf *name);
void unit_add_companion_socket(const struct unit_plan *plan, size_t index, struct strbuf *text);
void unit_add_companion_service(const struct unit_plan *plan, size_t index, struct strbuf *text);

/* ---- unit-harden.c ---- */

/* The directives that leave a service with nothing but what it uses. */
void unit_confine_qemu(const struct unit_plan *plan, struct strbuf *text);
void unit_confine_companion(const struct unit_plan *plan, const struct companion *companion,
                            struct strbuf *text);

#endif
