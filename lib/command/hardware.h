/* SPDX-License-Identifier: MIT */
/* The hardware that a guest sees, as a digest: <volt-qemu/command.h> says what is in it. */
#ifndef LIB_HARDWARE_H
#define LIB_HARDWARE_H

#include <stdbool.h>

#include "base/digest.h"
#include "command/option.h"

/* arch: the guest's. Returns false without memory. */
bool hardware_digest(const char *arch, const struct options *options, struct digest *digest);

/* Whether the guest sees something of an option by itself, and not only what is attached by it. */
bool hardware_shows(const struct option *option);

/* What the guest sees of a setting, or with NULL of the head, as it is in the digest, or of what a
 * device is attached to; "" for nothing. New; NULL without memory. */
char *hardware_seen(const struct options *options, const struct option *option,
                    const struct setting *setting);

#endif
