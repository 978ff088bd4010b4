/* SPDX-License-Identifier: MIT */
#ifndef POLICY_OPTIONS_H
#define POLICY_OPTIONS_H

#include <volt-qemu/volt-qemu.h>

#include "options.h"

/* The policy of --policy; NULL if there is none. Returns 0, or the exit status of a failure that
 * has been reported. */
int policy_from_options(const struct options *options, vqemu_policy **policy);

#endif
