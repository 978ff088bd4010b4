/* SPDX-License-Identifier: MIT */
#include "command/plan-bridge.h"

#include <string.h>

#include "base/error.h"
#include "command/plan-slot.h"
#include "command/refusal.h"

#define FIRST_BRIDGE_FUNCTION 4
#define PORTS_OF_SLOT SLOT_FUNCTIONS /* a port is a function */

const char *const bridge_ids[BRIDGE_MAX + 1] = {"bridge0", "bridge1", "bridge2", "bridge3",
                                                "bridge4"};

/* ---- bridges ---- */

bool bridges_share_slot(const struct machine *machine) {
    return machine->bridge != BRIDGE_NONE && machine->bridge_slot >= machine->first_slot &&
           machine->bridge_slot < machine->first_slot + machine->slots;
}

bool bridges_are_used(const struct plan *plan) {
    bool found = false;
    for (unsigned i = 0; i < BRIDGE_MAX; i++)
        found = found || plan->bridges[i].is_used;
    return found;
}

static void use_bridge(struct plan *plan, unsigned index) {
    bool is_first_function = index == BRIDGE_MAX;
    plan->bridges[index] = (struct bridge_plan){
        .is_used = true,
        .place = {.kind = PLACE_SLOT,
                  .bridge = -1,
                  .slot = plan->machine->bridge_slot,
                  .function = is_first_function ? 0 : FIRST_BRIDGE_FUNCTION + index,
                  .multifunction = is_first_function},
    };
}

static bool is_empty(const struct bridges *bridges, unsigned bridge) {
    for (unsigned slot = 0; slot < NO_SLOT; slot++)
        if (bridges->owners[bridge][slot])
            return false;
    return true;
}

void bridges_drop_empty(const struct bridges *bridges, struct plan *plan) {
    if (!plan->machine->no_empty_bridges)
        return;
    for (unsigned i = 0; i < BRIDGE_MAX; i++)
        if (is_empty(bridges, i))
            plan->bridges[i].is_used = false;
    plan->bridges[BRIDGE_MAX].is_used = false; /* nothing is ever behind it */
}

void bridges_settle(struct plan *plan, bool has_first_function) {
    if (bridges_are_used(plan) && bridges_share_slot(plan->machine) &&
        !plan->machine->no_empty_bridges && !has_first_function)
        use_bridge(plan, BRIDGE_MAX);
}

static bool is_same_function(const struct place *a, const struct place *b) {
    return a->bridge == b->bridge && a->slot == b->slot && a->function == b->function;
}

static int take_given(struct plan *plan, unsigned index, vqemu_error **error) {
    const struct device device = {.id.value = bridge_ids[index]};
    struct bridge_plan *bridge = &plan->bridges[index];
    struct place given;
    int r = slot_find(plan, &device, PLACE_SLOT, NULL, &given, error);
    if (r <= 0)
        return r;
    use_bridge(plan, index);
    if (!is_same_function(&given, &bridge->place)) {
        const char *own = slot_text(&plan->texts, &bridge->place);
        return slot_refuse(plan, device.id.value, VQEMU_ERR_INVALID, "no-such-place", own, error,
                           "is no place of this bridge, which can be at \"%s\" alone", own);
    }
    bridge->place.origin = given.origin;
    return 0;
}

int bridges_take_given(struct plan *plan, vqemu_error **error) {
    unsigned end = plan->machine->bridge == BRIDGE_NONE ? 0
                   : bridges_share_slot(plan->machine)  ? BRIDGE_MAX + 1
                                                        : BRIDGE_MAX;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < end; i++)
        r = take_given(plan, i, error);
    return r;
}

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
            if (!bridges->owners[*bridge][*slot])
                return true;
    return false;
}

/* The bridge may be there already. */
static void own(struct bridges *bridges, struct plan *plan, const struct device *device) {
    unsigned bridge = (unsigned)device->place.bridge;
    bridges->owners[bridge][device->place.slot] = device->id.value;
    if (!plan->bridges[bridge].is_used)
        use_bridge(plan, bridge);
}

int bridges_take(struct bridges *bridges, struct plan *plan, const struct device *device,
                 vqemu_error **error) {
    const char *id = device->id.value;
    unsigned slot = device->place.slot;
    if (slot < 1 || slot > BRIDGE_SLOTS)
        return slot_refuse(plan, id, VQEMU_ERR_INVALID, "no-such-place", NULL, error,
                           "is no slot behind a bridge; these are 0x1 to 0x%x", BRIDGE_SLOTS);
    const char *owner = bridges->owners[device->place.bridge][slot];
    if (owner)
        return slot_refuse_taken(plan, id, owner, error);
    own(bridges, plan, device);
    return 0;
}

bool bridges_place(struct bridges *bridges, struct plan *plan, struct device *device) {
    unsigned bridge, slot;
    bool has_place = find_annex(device, &bridge, &slot) && !bridges->owners[bridge][slot];
    if (!has_place && !find_free(bridges, &bridge, &slot))
        return false;
    device->place = (struct place){
        .kind = PLACE_SLOT,
        .bridge = (int)bridge,
        .slot = slot,
        .origin = origin_named("slots", device->id.value,
                               "the machine's own bus is full, and it keeps this place behind a "
                               "bridge"),
    };
    own(bridges, plan, device);
    return true;
}

/* ---- ports ---- */

/* The first is nobody's home. */
static const unsigned port_slots[] = {0x01, 0x17, 0x16, 0x15};

unsigned plan_port_slots(const struct plan *plan) {
    return (unsigned)((plan->vm->hotplug_slots + PORTS_OF_SLOT - 1) / PORTS_OF_SLOT);
}

bool plan_is_port_slot(const struct plan *plan, unsigned slot) {
    for (unsigned i = 0; i < plan_port_slots(plan); i++)
        if (port_slots[i] == slot)
            return true;
    return false;
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
