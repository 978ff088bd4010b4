/* SPDX-License-Identifier: MIT */
/*
 * The places of devices: slots of PCI, behind bridges where there are too many, and device numbers
 * on channels. What the VM gives a place has it; for the rest, each noun has slots of its own, so
 * that a device stays where it is, and keeps the name that the guest has given it, when others are
 * added or taken away. QEMU by itself would number them in the order of the arguments.
 */
#ifndef LIB_PLAN_PLACE_H
#define LIB_PLAN_PLACE_H

#include "command/plan-id.h"

/* It takes a place of the machine's own bus. */
void plan_attach(struct plan *plan, struct device *device);

/* When all are attached. */
int plan_places(struct plan *plan, vqemu_error **error);

#endif
