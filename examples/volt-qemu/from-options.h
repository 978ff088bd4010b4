/* SPDX-License-Identifier: MIT */
/*
 * The way of the data through the library, as the options direct it:
 *
 *     host + VM + store -> selection -> runtime -> command
 *
 * Each function returns 0, or the exit status of a failure that has been reported.
 */
#ifndef FROM_OPTIONS_H
#define FROM_OPTIONS_H

#include <volt-qemu/volt-qemu.h>

#include "options.h"

/* What belongs to the caller. */
int host_from_options(const struct options *options, vqemu_host **host);

/* flags: an OR of enum vqemu_store_flag, to which --read-only adds. */
int store_from_options(const struct options *options, uint32_t flags, vqemu_store **store);

/* The store below another root; NULL: where the options say. */
int store_at(const struct options *options, const char *root, uint32_t flags, vqemu_store **store);

/* What is said of a profile that is put into a store. */
int ingest_options_from_options(const struct options *options, vqemu_ingest_options **said);

/* All that there is on the way. Zero it first, and begin with the VM, if there is to be one. */
struct way {
    vqemu_vm *vm;
    vqemu_store *store;
    vqemu_host *host;
    vqemu_revision *revision; /* NULL: the one that is used of the profile */
    vqemu_selection *selection;
    vqemu_runtime *runtime;
    vqemu_command *command;
};

/* The profile that fits what the VM asks for, unless the options name one. With a store, which is
 * opened where it is needed or named, only of those that this has. */
int way_to_selection(const struct options *options, struct way *way);

/* These go on from the selection, and make it where it is not there. */
int way_to_runtime(const struct options *options, struct way *way);
int way_to_command(const struct options *options, struct way *way);

void way_free(struct way *way);

#define _cleanup_way_ __attribute__((cleanup(way_free)))

/* How the command or the units of a VM are made: by its directories and the policy. The caller
 * frees it. */
int command_options_from_options(const struct options *options, vqemu_command_options **described);

/* vqemu_prepare(). */
int prepare_from_options(const struct options *options, const vqemu_command *command);

#endif
