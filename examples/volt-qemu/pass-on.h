/* SPDX-License-Identifier: MIT */
/* What this process leaves open for the QEMU that it becomes. */
#ifndef PASS_ON_H
#define PASS_ON_H

#include "options.h"

/*
 * Give the VM's descriptors, and the lease of the profile's tree, to the program that is executed
 * next, and nothing else. Those that the VM knows by name are given by the options --fd. Returns 0,
 * or the exit status of a fault that has been reported.
 */
int pass_on(const struct options *options, const vqemu_command *command);

#endif
