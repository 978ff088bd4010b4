/* SPDX-License-Identifier: MIT */
/*
 * The ids of devices, and the numbers of those in lists. A number is the position in the list,
 * unless an id says another: "nic1" has 1 wherever it is. What follows from the number, such as the
 * device's place, so stays with the id when others are taken out of the list.
 */
#ifndef LIB_PLAN_ID_H
#define LIB_PLAN_ID_H

#include "command/plan.h"

/* Before any device is planned: whether the VM's ids are good, and what numbers follow. */
int plan_number_devices(struct plan *plan, vqemu_error **error);

/* A device of a noun, by the library's own id. number < 0 for what there is one of. */
void plan_device(struct plan *plan, struct device *device, const char *noun, int number);
/* One of a list of the VM's, by the id that the VM has for it, or the library's. */
void plan_listed_device(struct plan *plan, struct device *device, enum device_list list,
                        size_t position);

#endif
