/* SPDX-License-Identifier: MIT */
/* The schema of QMP's commands, as query-qmp-schema returns it (docs/devel/qapi-code-gen, "Client
 * introspection", in QEMU's sources). */
#ifndef LIB_QEMU_SCHEMA_H
#define LIB_QEMU_SCHEMA_H

#include "base/json.h"
#include "qemu/capabilities.h"

/*
 * Add the commands, what the unions among their arguments can be (objects, network and block
 * drivers, displays, drivers of sound), and the types of what these have. What the schema does not
 * have is left out. Returns 0 or -ENOMEM.
 */
int schema_add(struct capability_list *list, const json_t *schema);

/* Its entries by their names; NULL without memory. */
json_t *schema_index(const json_t *schema);
/* What a command takes or returns, or, of a list, what is in it; NULL if it does not tell. */
const json_t *schema_type_of(const json_t *by_name, const char *command, const char *of);
/* A member of a type; NULL if it has none of this name. */
const json_t *schema_member(const json_t *type, const char *name);

#endif
