/* SPDX-License-Identifier: MIT */
#ifndef LIB_UNIT_OPTIONS_H
#define LIB_UNIT_OPTIONS_H

#include <volt-qemu/unit.h>

#include "util/strv.h"

struct vqemu_unit_options {
    char *name_prefix, *state_base, *runtime_base; /* NULL for the default */
    uint64_t stop_timeout;                         /* seconds; 0 for the default */
    struct strv stop; /* the command that shuts a guest down; empty for none */
};

/* The same with the defaults filled in; borrowed from the options. */
struct unit_settings {
    const char *name_prefix, *state_base, *runtime_base;
    uint64_t stop_timeout;
    const struct strv *stop;
};

/* With defaults where nothing is set; the setters have refused bad values. options may be NULL. */
void unit_settle(const vqemu_unit_options *options, struct unit_settings *settings);

#endif
