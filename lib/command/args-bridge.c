/* SPDX-License-Identifier: MIT */
#include "command/args-bridge.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define FIRST_BRIDGE_FUNCTION 4
#define PORTS_OF_SLOT 8 /* a port is a function */

/* ---- bridges ---- */

/*
 * Where those of a list are that have no home on the machine's own bus (args-slot.c), when that is
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
static bool find_annex(const char *device, unsigned *bridge, unsigned *slot) {
    for (size_t i = 0; i < sizeof annexes / sizeof *annexes; i++) {
        const struct annex *annex = &annexes[i];
        unsigned long number;
        if (!args_device_number(device, annex->noun, &number) || number < annex->first_number ||
            number - annex->first_number >= annex->count)
            continue;
        *bridge = annex->bridge;
        *slot = annex->first_slot + (unsigned)number - annex->first_number;
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

bool bridges_place(struct bridges *bridges, char **device) {
    unsigned bridge, slot;
    char bus[16];
    bool has_place = find_annex(*device, &bridge, &slot) && !bridges->taken[bridge][slot];
    if (!has_place && !find_free(bridges, &bridge, &slot))
        return false;
    bridges->taken[bridge][slot] = true;
    snprintf(bus, sizeof bus, "bridge%u", bridge);
    return args_add_address(device, bus, slot, 0, false);
}

static bool is_used(const struct bridges *bridges, unsigned bridge) {
    for (unsigned slot = 0; slot < NO_SLOT; slot++)
        if (bridges->taken[bridge][slot])
            return true;
    return false;
}

static char *make_bridge(const struct args *args, unsigned bridge) {
    const struct machine *machine = args->machine;
    unsigned function = FIRST_BRIDGE_FUNCTION + bridge;
    if (machine->bridge == BRIDGE_PCIE)
        return format_string("pcie-pci-bridge,id=bridge%u,addr=0x%x.%u", bridge,
                             machine->bridge_slot, function);
    return format_string("pci-bridge,id=bridge%u,chassis_nr=%u,shpc=off,addr=0x%x.%u", bridge,
                         bridge + 1, machine->bridge_slot, function);
}

/* QEMU knows a bus only by what stands before. */
bool bridges_add(const struct bridges *bridges, struct args *args) {
    struct strv argv = {0};
    size_t first = 0;
    if (!bridges->are_needed)
        return true;
    while (first < args->argv.count && strcmp(args->argv.items[first], "-device") != 0)
        strv_add(&argv, args->argv.items[first++]);
    for (unsigned bridge = 0; bridge < BRIDGE_MAX; bridge++) {
        if (!is_used(bridges, bridge))
            continue;
        strv_add(&argv, "-device");
        strv_take_in(&argv, make_bridge(args, bridge));
    }
    for (size_t i = first; i < args->argv.count; i++)
        strv_add(&argv, args->argv.items[i]);
    if (argv.failed) {
        strv_release(&argv);
        return false;
    }
    strv_release(&args->argv);
    args->argv = argv;
    return true;
}

/* ---- ports ---- */

/* The first is nobody's home. */
static const unsigned port_slots[] = {0x01, 0x17, 0x16, 0x15};

unsigned args_port_slots(const struct args *args) {
    return (unsigned)((args->vm->hotplug_slots + PORTS_OF_SLOT - 1) / PORTS_OF_SLOT);
}

void args_take_port_slots(const struct args *args, bool taken[static NO_SLOT]) {
    for (unsigned i = 0; i < args_port_slots(args); i++)
        taken[port_slots[i]] = true;
}

/* Without PCI Express, devices are plugged into the machine's own bus. */
static int check_ports(const struct args *args, vqemu_error **error) {
    const char *instead = strcmp(args->arch->bus, "ccw") == 0
                              ? "channel devices are added while it runs without one"
                          : args->machine->bridge == BRIDGE_PCI
                              ? "its bus pci.0 takes devices while it runs, as long as it has room"
                              : "nothing can be plugged in while it runs";
    if (args->machine->bridge == BRIDGE_PCIE)
        return 0;
    int r = args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                        "hotplug_slots: the machine %s of %s guests has no root ports; %s",
                        args->machine_name, args->arch->name, instead);
    return error_because(r, error, "machine-lacks-device", NULL);
}

int args_add_ports(struct args *args, vqemu_error **error) {
    if (args->vm->hotplug_slots == 0)
        return 0;
    int r = check_ports(args, error);
    for (unsigned i = 0; r == 0 && i < args->vm->hotplug_slots; i++) {
        unsigned function = i % PORTS_OF_SLOT;
        strv_add(&args->argv, "-device");
        strv_addf(&args->argv, "pcie-root-port,id=port%u,chassis=%u,addr=0x%x.%u%s", i, i + 1,
                  port_slots[i / PORTS_OF_SLOT], function,
                  function == 0 ? ",multifunction=on" : "");
    }
    return r;
}
