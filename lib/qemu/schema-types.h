/* SPDX-License-Identifier: MIT */
/*
 * The types of QMP's schema that values of options have, as things of the kind "type". Each has the
 * fact "is":
 *
 *     struct    properties "name:type", or "name?:type" for one that may be left out
 *     union     the same, for what all have; the fact "tag" names the property that tells which
 *               case it is, and of the case c it is a struct "<name>.<c>"
 *     enum      properties are the values
 *     either    properties are the types that a value can have
 *
 * A type is the name of such a thing, or one of enum plain_type; "[" before it: a list of these.
 */
#ifndef LIB_SCHEMA_TYPES_H
#define LIB_SCHEMA_TYPES_H

#include "base/json.h"
#include "qemu/capabilities.h"

enum plain_type {
    TYPE_ANY = 'a',
    TYPE_BOOLEAN = 'b',
    TYPE_INTEGER = 'i',
    TYPE_NULL = 'z',
    TYPE_NUMBER = 'n',
    TYPE_STRING = 's',
    TYPE_LIST = '[',
};

/* Types whose things are still to be added. Zeroed but for the schema, by names, it is empty. */
struct schema_types {
    struct capability_list *list;
    const json_t *by_name;
    json_t *names; /* what a type of the schema is called here */
    struct strv waiting;
    bool failed;
};

/* Have a type under a name of its own, and all types in it. */
void schema_types_add(struct schema_types *types, const char *name, const json_t *type);
/* Add all that were asked for. Returns 0 or -ENOMEM. */
int schema_types_finish(struct schema_types *types);
void schema_types_release(struct schema_types *types);

#endif
