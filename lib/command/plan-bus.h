/* SPDX-License-Identifier: MIT */
/* Numbered places on buses that are none of the machine's: SCSI ids, IDE drives, USB ports. */
#ifndef LIB_PLAN_BUS_H
#define LIB_PLAN_BUS_H

#include "command/plan.h"

/* An empty bus, whose numbers are first to end - 1; allocation failure is remembered. */
void numbered_bus_begin(struct plan *plan, struct numbered_bus *bus, const char *name,
                        unsigned first, unsigned end);

/* Put a device where the VM wants it, if it says where; before any is put elsewhere. */
int numbered_bus_take_given(struct plan *plan, struct numbered_bus *bus, struct device *device,
                            vqemu_error **error);
/* Put it at the first place that is free, unless it has one; false if there is none. */
bool numbered_bus_take_free(struct numbered_bus *bus, struct device *device, unsigned from);

#endif
