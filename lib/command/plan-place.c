/* SPDX-License-Identifier: MIT */
#include "command/plan-place.h"

#include <string.h>

#include "base/error.h"
#include "command/refusal.h"

#define OWN_PLACE "its noun's own place, which stays when other devices come and go"

static const struct home {
    const char *noun;
    unsigned slot, count; /* "nic" 0 to 7 have 0x10 to 0x17 */
} homes[] = {
    {"video", 0x02, 1},   {"usb", 0x03, 1},  {"serial", 0x04, 1}, {"watchdog", 0x05, 1},
    {"rng-device", 6, 1}, {"balloon", 7, 1}, {"vsock", 0x08, 1},  {"rootfs", 0x09, 1},
    {"share", 0x0a, 4},   {"scsi", 0x0e, 1}, {"ide", 0x0f, 1},    {"nic", 0x10, 8},
    {"drive", 0x18, 7},
};

/* Channel devices of s390x; there can be more of a list than it has elements. */
static const struct number_range {
    const char *noun;
    unsigned first;
} ranges[] = {
    {"video", 0x0002}, {"tablet", 0x0003}, {"keyboard", 0x0004}, {"serial", 0x0005},
    {"rng-device", 6}, {"balloon", 7},     {"vsock", 0x0008},    {"rootfs", 0x0009},
    {"scsi", 0x000e},  {"share", 0x1000},  {"nic", 0x2000},      {"drive", 0x3000},
};
#define FIRST_SCSI_NUMBER 0x4000 /* of the controllers for I/O threads, as they come */

/* ---- devices ---- */

void plan_device(struct plan *plan, struct device *device, const char *noun, int number) {
    const char *id = number < 0 ? noun : arena_textf(&plan->texts, "%s%d", noun, number);
    *device = (struct device){.noun = noun,
                              .number = number,
                              .id = {id, origin_none("the library's own name of the device")},
                              .place = {.bridge = -1}};
}

void plan_listed_device(struct plan *plan, struct device *device, const char *noun,
                        const char *list, size_t number, const char *id) {
    if (id)
        *device = (struct device){
            .noun = noun, .number = (int)number, .id.value = id, .place = {.bridge = -1}};
    else
        plan_device(plan, device, noun, (int)number);
    device->id.origin =
        origin_in(list, number, "id", id ? NULL : "default: what it is, and its number");
}

void plan_attach(struct plan *plan, struct device *device) {
    plan->devices[plan->device_count++] = device;
}

/* ---- slots ---- */

/* The slot that a device has by its noun; NO_SLOT if there is none. */
static unsigned home_of(const struct device *device) {
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++) {
        const struct home *home = &homes[i];
        unsigned number = device->number < 0 ? 0 : (unsigned)device->number;
        if (strcmp(device->noun, home->noun) == 0)
            return number < home->count ? home->slot + number : NO_SLOT;
    }
    return NO_SLOT;
}

/* The machine's own bus while it is being filled. */
struct root_bus {
    bool taken[NO_SLOT], ports[NO_SLOT];
    bool has_bridges;
    struct bridges bridges;
};

/* Where ports are, nothing else is: what would be at home there is as good as homeless. */
static void take_homes(struct root_bus *root, const struct plan *plan) {
    plan_take_port_slots(plan, root->ports);
    memcpy(root->taken, root->ports, sizeof root->taken);
    for (size_t i = 0; i < plan->device_count; i++) {
        unsigned slot = home_of(plan->devices[i]);
        if (slot != NO_SLOT)
            root->taken[slot] = true;
    }
}

/* From the top; NO_SLOT if there is none left. */
static unsigned take_free_slot(struct root_bus *root, const struct machine *machine) {
    for (unsigned slot = machine->first_slot + machine->slots; slot-- > machine->first_slot;) {
        if (root->taken[slot])
            continue;
        root->taken[slot] = true;
        return slot;
    }
    return NO_SLOT;
}

static void place_device(struct root_bus *root, struct plan *plan, struct device *device) {
    unsigned slot = home_of(device);
    bool is_home = slot != NO_SLOT && !root->ports[slot];
    if (!is_home)
        slot = take_free_slot(root, plan->machine);
    if (slot == NO_SLOT) {
        bridges_place(&root->bridges, plan, device);
        return;
    }
    device->place = (struct place){
        .kind = PLACE_SLOT,
        .bridge = -1,
        .slot = slot,
        /* beside bridges, it is a function of several */
        .multifunction = root->has_bridges && slot == plan->machine->bridge_slot,
        .reason = is_home ? OWN_PLACE : "the last place that is free on the machine's own bus",
    };
}

/* Devices with a home first; the others take what is left, from the top, and then bridges. */
static void fill_bus(struct plan *plan, bool has_bridges) {
    struct root_bus root = {.has_bridges = has_bridges};
    take_homes(&root, plan);
    for (size_t i = 0; i < plan->device_count; i++)
        place_device(&root, plan, plan->devices[i]);
}

/* Spread devices over the slots that have an interrupt; further ones are functions of the same. */
static void spread(struct plan *plan) {
    unsigned first = plan->arch->pci_slot, slots = plan->arch->pci_slots;
    for (unsigned i = 0; i < plan->device_count; i++)
        plan->devices[i]->place = (struct place){
            .kind = PLACE_SLOT,
            .bridge = -1,
            .slot = first + i % slots,
            .function = i / slots,
            .multifunction = i < slots,
            .reason = "few slots of the machine have an interrupt; devices share them",
        };
}

/* ---- channel devices ---- */

static unsigned channel_of(const struct device *device, unsigned *scsi_count) {
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (strcmp(device->noun, ranges[i].noun) == 0)
            return ranges[i].first + (device->number < 0 ? 0 : (unsigned)device->number);
    return FIRST_SCSI_NUMBER + (*scsi_count)++;
}

static void number_channel_devices(struct plan *plan) {
    unsigned scsi_count = 0;
    for (size_t i = 0; i < plan->device_count; i++)
        plan->devices[i]->place =
            (struct place){.kind = PLACE_CHANNEL,
                           .bridge = -1,
                           .channel = channel_of(plan->devices[i], &scsi_count),
                           .reason = OWN_PLACE};
}

/* ---- all of them ---- */

/* A machine with few slots has its own devices among them. */
static bool has_homes(const struct machine *machine) {
    return machine->slots >= 30;
}

static int refuse_crowd(const struct plan *plan, unsigned room, vqemu_error **error) {
    return refuse(error, VQEMU_ERR_UNSUPPORTED,
                  "the VM has %zu PCI devices; the machine %s of %s guests has room for %u. "
                  "Disks on the bus scsi share one",
                  plan->device_count, plan->machine_name, plan->arch->name, room);
}

int plan_places(struct plan *plan, vqemu_error **error) {
    unsigned own = plan->machine->slots - plan_port_slots(plan);
    unsigned room = own + (plan->machine->bridge ? BRIDGES_ROOM : 0);
    int r = plan_check_ports(plan, error);
    if (r < 0)
        return r;
    if (!plan_has_pci(plan)) {
        number_channel_devices(plan);
        return 0;
    }
    if (plan->device_count > room)
        return refuse_crowd(plan, room, error);
    if (plan->arch->pci_slots && plan->device_count > plan->arch->pci_slots)
        spread(plan);
    else if (!plan->arch->pci_slots && has_homes(plan->machine))
        fill_bus(plan, plan->device_count > own);
    return 0;
}
