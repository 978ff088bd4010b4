/* SPDX-License-Identifier: MIT */
/* Options compared with what the QEMU that they are for can do, by its own account. */
#ifndef LIB_CAPABILITY_CHECK_H
#define LIB_CAPABILITY_CHECK_H

#include "command/option.h"
#include "command/plan.h"
#include "qemu/capabilities.h"

/*
 * VQEMU_ERR_UNSUPPORTED, with the key that asks for it, for the first machine, device, property,
 * CPU feature or backend that this QEMU has not. What QEMU does not tell is no objection. others:
 * the store whose profiles may have it instead, or NULL.
 */
int capability_check(const struct plan *plan, const struct options *options,
                     const vqemu_capabilities *capabilities, vqemu_store *others,
                     vqemu_error **error);

#endif
