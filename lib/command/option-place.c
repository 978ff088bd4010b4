/* SPDX-License-Identifier: MIT */
/* How a device begins and ends; root ports and bridges, which are nothing else. */
#include "command/option-nouns.h"
#include "command/plan-bridge.h"

/* The id outlives the plan. */
struct origin place_origin(struct options *options, const struct place *place) {
    struct origin origin = place->origin;
    if (origin.name)
        origin.name = arena_text(&options->texts, origin.name);
    return origin;
}

static void address_settings(struct options *options, const struct place *place) {
    struct origin origin = place_origin(options, place);
    if (place->bridge >= 0) {
        option_textf(options, "bus", "bridge%d", place->bridge);
        option_from(options, origin);
    }
    if (place->function > 0 || place->multifunction)
        option_add(options, "addr", SETTING_FUNCTION, place->slot << 3 | place->function);
    else
        option_hex(options, "addr", place->slot);
    option_from(options, origin);
    if (place->multifunction) {
        option_switch(options, "multifunction", true);
        option_from(options, origin);
    }
}

void device_place(struct options *options, const struct device *device) {
    const struct place *place = &device->place;
    if (place->kind == PLACE_SLOT)
        address_settings(options, place);
    if (place->kind != PLACE_CHANNEL)
        return;
    option_add(options, "devno", SETTING_CHANNEL, place->channel);
    option_from(options, place_origin(options, place));
}

void device_begin(struct options *options, const char *model, const struct device *device,
                  struct origin origin) {
    option_begin(options, OPTION_DEVICE, model, origin);
    option_text(options, "id", device->id.value);
    option_from(options, device->id.origin);
}

void virtio_begin(const struct plan *plan, struct options *options, const char *kind,
                  const struct device *device, struct origin origin) {
    device_begin(options, arena_join(&options->texts, kind, "-", plan->arch->bus, NULL), device,
                 origin);
}

void port_options(const struct plan *plan, struct options *options) {
    for (unsigned i = 0; i < plan->vm->hotplug_slots; i++) {
        const struct place place = plan_port_place(i);
        option_begin(options, OPTION_DEVICE, "pcie-root-port", origin_key("hotplug_slots", NULL));
        option_textf(options, "id", "port%u", i);
        option_number(options, "chassis", i + 1);
        address_settings(options, &place);
    }
}

void bridge_options(const struct plan *plan, struct options *options) {
    bool is_pcie = plan->machine->bridge == BRIDGE_PCIE;
    for (unsigned i = 0; i <= BRIDGE_MAX; i++) {
        const struct bridge_plan *bridge = &plan->bridges[i];
        if (!bridge->is_used)
            continue;
        option_begin(options, OPTION_DEVICE, is_pcie ? "pcie-pci-bridge" : "pci-bridge",
                     origin_none("devices are behind it, or have been"));
        option_text(options, "id", bridge_ids[i]);
        if (!is_pcie) {
            option_number(options, "chassis_nr", i + 1);
            option_switch(options, "shpc", false);
        }
        address_settings(options, &bridge->place);
    }
}
