/* SPDX-License-Identifier: MIT */
/* The commands of volt-qemu, one file each (cmd-NAME.c). */
#ifndef COMMANDS_H
#define COMMANDS_H

struct options;

struct command {
    const char *name;
    const char *operand;     /* what --help calls its operand; NULL: it takes none */
    unsigned option_groups;  /* enum option_group: what it takes besides the global options */
    const char *summary;     /* for the list of commands */
    const char *description; /* whole lines, for its --help */
    const char *example;     /* whole lines, for its --help */
    int (*run)(const struct options *options); /* returns the exit status */
};

extern const struct command command_profiles, command_select, command_build, command_import,
    command_export, command_copy, command_refs, command_uses, command_show, command_current,
    command_pin, command_unpin, command_rm, command_verify, command_gc, command_resolve,
    command_args, command_env, command_unit, command_run, command_prepare, command_schema,
    command_stop, command_version, command_help;

/* All of them, in the order of --help; the last is NULL. */
extern const struct command *const commands[];

/* NULL if there is none of this name. */
const struct command *command_find(const char *name);

#endif
