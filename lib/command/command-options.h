/* SPDX-License-Identifier: MIT */
#ifndef LIB_COMMAND_OPTIONS_H
#define LIB_COMMAND_OPTIONS_H

#include <volt-qemu/command.h>

struct vqemu_command_options {
    char *state_base, *runtime_base;  /* NULL for the default */
    vqemu_policy *policy;             /* NULL for none */
    vqemu_capabilities *capabilities; /* that the command is checked against; NULL: it is not */
    vqemu_store *others;              /* whose profiles may have what is missing; NULL for none */
};

/* The same with the defaults filled in; borrowed from the options. */
struct command_settings {
    const char *state_base, *runtime_base;
    const vqemu_policy *policy;
    const vqemu_capabilities *capabilities;
    vqemu_store *others;
    vqemu_call *call; /* NULL for none */
};

/* Where the directories of VMs are that name none. */
#define COMMAND_STATE_BASE "/var/lib/volt/vms"
#define COMMAND_RUNTIME_BASE "/run/volt"

/* options may be NULL; the setters have refused bad values. */
struct command_settings command_settle(const vqemu_command_options *options, vqemu_call *call);

#endif
