/* SPDX-License-Identifier: MIT */
/*
 * The places that the VM gives its devices: the key "slots". They come before all that the library
 * would choose; what they cannot be is refused by "slots.<id>".
 */
#ifndef LIB_PLAN_SLOT_H
#define LIB_PLAN_SLOT_H

#include "command/plan.h"

/* Before any is asked for. */
int slots_begin(struct plan *plan, vqemu_error **error);

/*
 * The place that the VM gives a device, of the kind that the device can have, and on the same bus
 * if that is one of units. Returns 1, or 0 if it gives none: then the place is unchanged.
 */
int slot_find(struct plan *plan, const struct device *device, enum place_kind kind, const char *bus,
              struct place *place, vqemu_error **error);

/* When all were asked for: whether a place is left for which there is no device. */
int slots_check_used(const struct plan *plan, vqemu_error **error);

/* As the key has it. */
const char *slot_text(struct arena *texts, const struct place *place);

/* ---- what a place cannot be ---- */

/* "slots.nic0: "0x10" <text>"; choices: what it can be, or NULL. Returns the code. */
int slot_refuse(const struct plan *plan, const char *id, int code, const char *reason,
                const char *choices, vqemu_error **error, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
int slot_refuse_taken(const struct plan *plan, const char *id, const char *owner,
                      vqemu_error **error);

#endif
