/* SPDX-License-Identifier: MIT */
/* The environment of services. Failed allocations are remembered in text. */
#ifndef LIB_UNIT_ENVIRONMENT_H
#define LIB_UNIT_ENVIRONMENT_H

#include <stdbool.h>

#include "command/command.h"
#include "util/strbuf.h"

/* Whether a command has a variable in its environment. */
bool unit_sets_variable(const vqemu_command *command, const char *name);

/* Nothing that would change the program, should the service manager have it. */
void unit_add_clean_environment(struct strbuf *text);

/* The same, but for what the command sets, and that. */
void unit_add_environment(struct strbuf *text, const vqemu_command *command);

#endif
