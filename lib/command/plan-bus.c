/* SPDX-License-Identifier: MIT */
#include "command/plan-bus.h"

#include "base/error.h"
#include "command/plan-slot.h"

void numbered_bus_begin(struct plan *plan, struct numbered_bus *bus, const char *name,
                        unsigned first, unsigned end) {
    *bus = (struct numbered_bus){name, first, end, NULL};
    bus->owners = arena_add(&plan->texts, end * sizeof *bus->owners);
    if (!bus->owners)
        bus->end = first;
}

static int refuse_range(const struct plan *plan, const struct numbered_bus *bus, const char *id,
                        vqemu_error **error) {
    return slot_refuse(plan, id, VQEMU_ERR_INVALID, "no-such-place", NULL, error,
                       "is none that the bus has; these are %s:%u to %s:%u", bus->name, bus->first,
                       bus->name, bus->end - 1);
}

int numbered_bus_take_given(struct plan *plan, struct numbered_bus *bus, struct device *device,
                            vqemu_error **error) {
    const char *id = device->id.value;
    int r = slot_find(plan, device, PLACE_UNIT, bus->name, &device->place, error);
    if (r <= 0)
        return r;
    unsigned unit = device->place.unit;
    if (!bus->owners)
        return error_no_memory(error);
    if (unit < bus->first || unit >= bus->end)
        return refuse_range(plan, bus, id, error);
    if (bus->owners[unit])
        return slot_refuse_taken(plan, id, bus->owners[unit], error);
    bus->owners[unit] = id;
    return 0;
}

bool numbered_bus_take_free(struct numbered_bus *bus, struct device *device, unsigned from) {
    unsigned unit = from;
    if (device->place.kind == PLACE_UNIT)
        return true;
    while (unit < bus->end && bus->owners[unit])
        unit++;
    if (unit >= bus->end)
        return false;
    bus->owners[unit] = device->id.value;
    device->place = (struct place){
        .kind = PLACE_UNIT,
        .bridge = -1,
        .bus = bus->name,
        .unit = unit,
        .origin = origin_named("slots", device->id.value, "default: the first place that is free"),
    };
    return true;
}
