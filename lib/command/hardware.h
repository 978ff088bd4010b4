/* SPDX-License-Identifier: MIT */
/* The hardware that a guest sees, as a digest: <volt-qemu/command.h> says what is in it. */
#ifndef LIB_HARDWARE_H
#define LIB_HARDWARE_H

#include <stdbool.h>

#include "base/digest.h"
#include "command/option.h"

/* arch: the guest's. Returns false without memory. */
bool hardware_digest(const char *arch, const struct options *options, struct digest *digest);

#endif
