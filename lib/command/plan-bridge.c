/* SPDX-License-Identifier: MIT */
#include "command/plan-bridge.h"

#include <string.h>

#include "base/error.h"
#include "command/refusal.h"

#define FIRST_BRIDGE_FUNCTION 4
#define PORTS_OF_SLOT 8 /* a port is a function */

/* ---- bridges ---- */

/*
 * Where those of a list are that have no home on the machine's own bus (plan-place.c), when that is
 * full: each has a place of its own, as there, whatever others there are.
 */
static const struct annex {
    const char *noun;
    unsigned first_number, bridge, first_slot, count;
} annexes[] = {
    {"drive", 7, 0, 1, BRIDGE_SLOTS},
    {"drive", 7 + BRIDGE_SLOTS, 1, 1, BRIDGE_SLOTS},
    {"nic", 5, 2, 1, BRIDGE_SLOTS},
    {"share", 4, 3, 1, 16},
};

/* A place of its own, if the device has one. */
static bool find_annex(const struct device *device, unsigned *bridge, unsigned *slot) {
    for (size_t i = 0; i < sizeof annexes / sizeof *annexes; i++) {
        const struct annex *annex = &annexes[i];
        if (strcmp(device->noun, annex->noun) != 0 || device->number < (int)annex->first_number)
            continue;
        unsigned number = (unsigned)device->number - annex->first_number;
        if (number >= annex->count)
            continue;
        *bridge = annex->bridge;
        *slot = annex->first_slot + number;
        return true;
    }
    return false;
}

/* From the end, where those with a place of their own come last. */
static bool find_free(const struct bridges *bridges, unsigned *bridge, unsigned *slot) {
    for (*bridge = BRIDGE_MAX; (*bridge)-- > 0;)
        for (*slot = BRIDGE_SLOTS; *slot > 0; (*slot)--)
            if (!bridges->taken[*bridge][*slot])
                return true;
    return false;
}

void bridges_place(struct bridges *bridges, struct plan *plan, struct device *device) {
    unsigned bridge, slot;
    bool has_place = find_annex(device, &bridge, &slot) && !bridges->taken[bridge][slot];
    if (!has_place && !find_free(bridges, &bridge, &slot))
        return;
    bridges->taken[bridge][slot] = true;
    plan->bridges[bridge] = (struct bridge_plan){true, FIRST_BRIDGE_FUNCTION + bridge};
    device->place = (struct place){
        .kind = PLACE_SLOT,
        .bridge = (int)bridge,
        .slot = slot,
        .reason = "the machine's own bus is full, and it keeps this place behind a bridge",
    };
}

/* ---- ports ---- */

/* The first is nobody's home. */
static const unsigned port_slots[] = {0x01, 0x17, 0x16, 0x15};

unsigned plan_port_slots(const struct plan *plan) {
    return (unsigned)((plan->vm->hotplug_slots + PORTS_OF_SLOT - 1) / PORTS_OF_SLOT);
}

void plan_take_port_slots(const struct plan *plan, bool taken[static NO_SLOT]) {
    for (unsigned i = 0; i < plan_port_slots(plan); i++)
        taken[port_slots[i]] = true;
}

struct place plan_port_place(unsigned number) {
    unsigned function = number % PORTS_OF_SLOT;
    return (struct place){.kind = PLACE_SLOT,
                          .bridge = -1,
                          .slot = port_slots[number / PORTS_OF_SLOT],
                          .function = function,
                          .multifunction = function == 0};
}

/* Without PCI Express, devices are plugged into the machine's own bus. */
int plan_check_ports(const struct plan *plan, vqemu_error **error) {
    const char *instead = !plan_has_pci(plan)
                              ? "channel devices are added while it runs without one"
                          : plan->machine->bridge == BRIDGE_PCI
                              ? "its bus pci.0 takes devices while it runs, as long as it has room"
                              : "nothing can be plugged in while it runs";
    if (plan->vm->hotplug_slots == 0 || plan->machine->bridge == BRIDGE_PCIE)
        return 0;
    int r = refuse(error, VQEMU_ERR_UNSUPPORTED,
                   "hotplug_slots: the machine %s of %s guests has no root ports; %s",
                   plan->machine_name, plan->arch->name, instead);
    return error_because(r, error, "machine-lacks-device", NULL);
}
