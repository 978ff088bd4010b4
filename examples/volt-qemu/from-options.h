/* SPDX-License-Identifier: MIT */
/*
 * The way of the data through the library, as the options direct it:
 *
 *     host -> selection -> runtime (from a store) -> command (with a VM)
 *
 * Each function returns 0, or the exit status of a failure that has been reported. What it hands
 * out belongs to the caller.
 */
#ifndef FROM_OPTIONS_H
#define FROM_OPTIONS_H

#include <volt-qemu/volt-qemu.h>

#include "options.h"

int host_from_options(const struct options *options, vqemu_host **host);

int selection_from_options(const struct options *options, const vqemu_host *host,
                           vqemu_selection **selection);

/* flags: an OR of enum vqemu_store_flag, to which --read-only adds. */
int store_from_options(const struct options *options, uint32_t flags, vqemu_store **store);

/* The ref that the operand names, or the newest of the profile that it names. */
int ref_from_operand(const struct options *options, vqemu_store *store, vqemu_revision **ref);

/* What is said of a profile that is put into a store. */
int ingest_options_from_options(const struct options *options, vqemu_ingest_options **said);

int runtime_from_options(const struct options *options, const vqemu_selection *selection,
                         vqemu_runtime **runtime);

int vm_from_options(const struct options *options, vqemu_vm **vm);

/* The profile that fits what a VM asks for, unless the options name one. */
int selection_for_vm(const struct options *options, const vqemu_vm *vm,
                     vqemu_selection **selection);

/* The command for a selection that has been made. */
int command_from_selection(const struct options *options, const vqemu_selection *selection,
                           vqemu_vm *vm, vqemu_command **command);

/* vqemu_prepare(), with the ways out of a refusal in the words of the command line. */
int prepare_from_options(const struct options *options, const vqemu_command *command);

/* The whole way. */
int command_from_options(const struct options *options, vqemu_command **command);

#endif
