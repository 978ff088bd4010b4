/* SPDX-License-Identifier: MIT */
/* How the command line names what QEMU lists: other names that it takes for a thing or a property,
 * by the program's own rules, which it does not tell. */
#ifndef LIB_CAPABILITY_NAME_H
#define LIB_CAPABILITY_NAME_H

#include <stdbool.h>

#include "qemu/capabilities.h"

/* Whether a setting asks for help only: QEMU answers, and ends. */
bool capability_name_is_help(const char *name);

/*
 * 1 if a thing is there, with the name that it is listed by, which is the given one or belongs to
 * the capabilities; 0 if not; -1 if that cannot be told.
 */
int capability_name_find(const vqemu_capabilities *capabilities, const char *kind, const char *name,
                         const char **listed);

/* Whether a thing that is listed takes a property, by any of its names. properties: those it has,
 * as capabilities_properties() tells. */
bool capability_name_has_property(const vqemu_capabilities *capabilities, const char *kind,
                                  const char *name, const char *properties, const char *property);

#endif
