/* SPDX-License-Identifier: MIT */
/* VMs, as documents and options describe them. */
#ifndef VM_OPTIONS_H
#define VM_OPTIONS_H

#include <volt-qemu/volt-qemu.h>

#include "options.h"

/* Read a document; "-" is standard input. Returns 0, or the exit status of a failure that has been
 * reported. */
int vm_from_document(const struct options *options, const char *path, vqemu_vm **vm);

/* The VM of --vm, or a new one, with what the other options say. */
int vm_from_options(const struct options *options, vqemu_vm **vm);

/* Put --set, --disk, --forward and --share over a VM, in the order that they were given in. */
int vm_apply_settings(const struct options *options, vqemu_vm *vm);

#endif
