/* SPDX-License-Identifier: MIT */
/* What a command is checked against before it is used. */
#ifndef CHECKED_H
#define CHECKED_H

#include "from-options.h"
#include "options.h"

/*
 * What the QEMU of way->runtime can do; NULL if the options want no check, or QEMU cannot be asked,
 * which is warned of. Returns 0, or the exit status of a failure that has been reported. The caller
 * releases it.
 */
int capabilities_to_check(const struct options *options, const struct way *way,
                          vqemu_capabilities **capabilities);

#endif
