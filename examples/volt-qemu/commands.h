/* SPDX-License-Identifier: MIT */
/* The commands of volt-qemu, one file each (cmd-NAME.c). */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stddef.h>

struct options;

struct command {
    const char *name;
    const char *operand;     /* what --help calls its operands; NULL: it takes none */
    size_t operands;         /* how many it takes at most */
    unsigned option_groups;  /* enum option_group: what it takes besides the global options */
    const char *summary;     /* for the list of commands */
    const char *description; /* whole lines, for its --help */
    const char *example;     /* whole lines, for its --help */
    int (*run)(const struct options *options); /* returns the exit status */
};

extern const struct command command_profiles, command_select, command_ingest, command_import,
    command_export, command_copy, command_revisions, command_show, command_current, command_pin,
    command_unpin, command_pins, command_signature, command_signatures, command_uses, command_rm,
    command_verify, command_gc, command_resolve, command_capabilities, command_args, command_env,
    command_unit, command_run, command_prepare, command_schema, command_pull, command_push,
    command_tags, command_diff, command_complete, command_stop, command_version, command_help;

/* All of them, in the order of --help; the last is NULL. */
extern const struct command *const commands[];

/* By its name, or one that it had; NULL if there is none. */
const struct command *command_find(const char *name);

/* Report that there is none of this name. Returns the exit status. */
int command_unknown(const char *name);

#endif
