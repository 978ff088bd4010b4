/* SPDX-License-Identifier: MIT */
/*
 * Behind the machine's own bus: bridges for more devices than it has room for, and root ports into
 * which devices are plugged while the guest runs.
 */
#ifndef LIB_PLAN_BRIDGE_H
#define LIB_PLAN_BRIDGE_H

#include "command/plan.h"

#define NO_SLOT 32      /* a bus has so many slots, and this is none of them */
#define BRIDGE_SLOTS 31 /* slot 0 is left to the bridge itself */
#define BRIDGES_ROOM (BRIDGE_MAX * BRIDGE_SLOTS)

/* ---- bridges ---- */

struct bridges {
    bool taken[BRIDGE_MAX][NO_SLOT];
};

/* Put a device behind a bridge: there is room, BRIDGES_ROOM for all. */
void bridges_place(struct bridges *bridges, struct plan *plan, struct device *device);

/* ---- ports ---- */

int plan_check_ports(const struct plan *plan, vqemu_error **error);
/* How many slots of the machine's own bus they take, and which. */
unsigned plan_port_slots(const struct plan *plan);
void plan_take_port_slots(const struct plan *plan, bool taken[static NO_SLOT]);
/* The slot and function of a port. */
struct place plan_port_place(unsigned number);

#endif
