/* SPDX-License-Identifier: MIT */
/*
 * Behind the machine's own bus: bridges for more devices than it has room for, and root ports into
 * which devices are plugged while the guest runs.
 */
#ifndef LIB_PLAN_BRIDGE_H
#define LIB_PLAN_BRIDGE_H

#include "command/plan.h"

#define NO_SLOT 32 /* a bus has so many slots, and this is none of them */
#define SLOT_FUNCTIONS 8
#define BRIDGE_SLOTS 31 /* slot 0 is left to the bridge itself */
#define BRIDGES_ROOM (BRIDGE_MAX * BRIDGE_SLOTS)

/* ---- bridges ---- */

struct bridges {
    const char *owners[BRIDGE_MAX][NO_SLOT]; /* ids, or NULL */
};

/* Bridges that the VM gives a place, though nothing need be behind them. */
int bridges_take_given(struct plan *plan, vqemu_error **error);
/* Put a device where the VM wants it, behind a bridge that the machine has. */
int bridges_take(struct bridges *bridges, struct plan *plan, const struct device *device,
                 vqemu_error **error);
/* Put a device behind a bridge; false if there is no room left. */
bool bridges_place(struct bridges *bridges, struct plan *plan, struct device *device);

bool bridges_are_used(const struct plan *plan);
/* Whether the slot that bridges are functions of is one that devices can have. */
bool bridges_share_slot(const struct machine *machine);
/* Where a machine can have none with nothing behind it, such are left out. */
void bridges_drop_empty(const struct bridges *bridges, struct plan *plan);
/* Linux looks for functions of a slot only where there is the first: where no device is that, the
 * last of the bridges is, with nothing behind it. */
void bridges_settle(struct plan *plan, bool has_first_function);

/* "bridge0" */
extern const char *const bridge_ids[BRIDGE_MAX + 1];

/* ---- ports ---- */

int plan_check_ports(const struct plan *plan, vqemu_error **error);
/* How many slots of the machine's own bus they take, and which. */
unsigned plan_port_slots(const struct plan *plan);
bool plan_is_port_slot(const struct plan *plan, unsigned slot);
/* The slot and function of a port. */
struct place plan_port_place(unsigned number);

#endif
