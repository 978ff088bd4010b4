/* SPDX-License-Identifier: MIT */
/* The hardware that a guest sees, as a digest: <volt-qemu/command.h> says what is in it. */
#ifndef LIB_HARDWARE_H
#define LIB_HARDWARE_H

#include <stdbool.h>

#include "base/digest.h"
#include "util/strv.h"

/* arch: the guest's. argv: what the library says to QEMU; extra: what the VM adds to that. Returns
 * false without memory. */
bool hardware_digest(const char *arch, const struct strv *argv, const struct strv *extra,
                     struct digest *digest);

#endif
