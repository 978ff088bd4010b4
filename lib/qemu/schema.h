/* SPDX-License-Identifier: MIT */
/* The schema of QMP's commands, as query-qmp-schema returns it (docs/devel/qapi-code-gen, "Client
 * introspection", in QEMU's sources). */
#ifndef LIB_QEMU_SCHEMA_H
#define LIB_QEMU_SCHEMA_H

#include "base/json.h"
#include "qemu/capabilities.h"

/*
 * Add the commands, and what the unions among their arguments can be: objects, network, character
 * and block drivers. What the schema does not have is left out. Returns 0 or -ENOMEM.
 */
int schema_add(struct capability_list *list, const json_t *schema);

#endif
