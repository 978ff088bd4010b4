/* SPDX-License-Identifier: MIT */
/* By whom profiles must be signed: --key. */
#ifndef TRUST_OPTIONS_H
#define TRUST_OPTIONS_H

#include <volt-qemu/volt-qemu.h>

#include "options.h"

/* NULL where nothing was said. Returns 0, or the exit status of a failure that has been reported.
 */
int trust_from_options(const struct options *options, vqemu_trust **trust);

#endif
