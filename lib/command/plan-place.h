/* SPDX-License-Identifier: MIT */
/*
 * The places of devices: slots of PCI, behind bridges where there are too many, and device numbers
 * on channels. Each noun has slots of its own, so that a device stays where it is, and keeps the
 * name that the guest has given it, when others are added or taken away. QEMU by itself would
 * number them in the order of the arguments.
 */
#ifndef LIB_PLAN_PLACE_H
#define LIB_PLAN_PLACE_H

#include "command/plan-bridge.h"

/* A device of a noun, by the library's own id. number < 0 for what there is one of. */
void plan_device(struct plan *plan, struct device *device, const char *noun, int number);
/* One of a list of the VM's, by the id that the VM has for it, or the library's. */
void plan_listed_device(struct plan *plan, struct device *device, const char *noun,
                        const char *list, size_t number, const char *id);
/* It takes a place of the machine's own bus. */
void plan_attach(struct plan *plan, struct device *device);

/* When all are attached. */
int plan_places(struct plan *plan, vqemu_error **error);
/* Whether the VM's ids are good. */
int plan_check_ids(const struct plan *plan, vqemu_error **error); /* plan-id.c */

#endif
