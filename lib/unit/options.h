/* SPDX-License-Identifier: MIT */
#ifndef LIB_UNIT_OPTIONS_H
#define LIB_UNIT_OPTIONS_H

#include <volt-qemu/unit.h>

#include "command/command-options.h"
#include "util/strv.h"

struct vqemu_unit_options {
    char *name_prefix;     /* NULL for the default */
    char *stop_directory;  /* NULL for none */
    uint64_t stop_seconds; /* seconds; 0 for the default */
    struct strv stop;      /* the command that shuts a guest down; empty for none */
};

/* The same with the defaults filled in; borrowed from the options. */
struct unit_settings {
    const char *name_prefix, *stop_directory;
    struct command_settings command;
    uint64_t stop_seconds;
    const struct strv *stop;
};

/* With defaults where nothing is set; the setters have refused bad values. Both may be NULL. */
void unit_settle(const vqemu_command_options *command_options, const vqemu_unit_options *options,
                 vqemu_call *call, struct unit_settings *settings);

#endif
