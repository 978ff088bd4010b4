/* SPDX-License-Identifier: MIT */
/*
 * Behind the machine's own bus: bridges for more devices than it has room for, and root ports into
 * which devices are plugged while the guest runs.
 */
#ifndef LIB_ARGS_BRIDGE_H
#define LIB_ARGS_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "command/args-address.h"
#include "command/args.h"

#define BRIDGE_MAX 4    /* functions 4 to 7 of one slot */
#define BRIDGE_SLOTS 31 /* slot 0 is left to the bridge itself */
#define BRIDGES_ROOM (BRIDGE_MAX * BRIDGE_SLOTS)

/* ---- bridges ---- */

struct bridges {
    bool are_needed;
    bool taken[BRIDGE_MAX][NO_SLOT];
};

/* Put a device behind a bridge: there is room, BRIDGES_ROOM for all. False without memory. */
bool bridges_place(struct bridges *bridges, char **device);
/* The bridges that something was put behind, before the devices. False without memory. */
bool bridges_add(const struct bridges *bridges, struct args *args);

/* ---- ports ---- */

int args_add_ports(struct args *args, vqemu_error **error);
/* How many slots of the machine's own bus they take, and which. */
unsigned args_port_slots(const struct args *args);
void args_take_port_slots(const struct args *args, bool taken[static NO_SLOT]);

#endif
