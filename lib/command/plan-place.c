/* SPDX-License-Identifier: MIT */
#include "command/plan-place.h"

#include <string.h>

#include "base/error.h"
#include "command/plan-bridge.h"
#include "command/plan-slot.h"
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
#define FIRST_FREE_NUMBER 0x4000 /* of the controllers for I/O threads, as they come */

/* ---- the machine's own bus ---- */

void plan_attach(struct plan *plan, struct device *device) {
    plan->devices[plan->device_count++] = device;
}

/* While it is being filled: ids, or what else has a function. */
struct root_bus {
    const char *owners[NO_SLOT][SLOT_FUNCTIONS];
    struct bridges bridges;
};

static void own(struct root_bus *root, const struct device *device) {
    root->owners[device->place.slot][device->place.function] = device->id.value;
}

static bool has_further_functions(const struct root_bus *root, unsigned slot) {
    for (unsigned i = 1; i < SLOT_FUNCTIONS; i++)
        if (root->owners[slot][i])
            return true;
    return false;
}

static bool is_free(const struct root_bus *root, unsigned slot) {
    return !root->owners[slot][0] && !has_further_functions(root, slot);
}

static struct place slot_place(const struct device *device, unsigned slot, const char *message) {
    return (struct place){.kind = PLACE_SLOT,
                          .bridge = -1,
                          .slot = slot,
                          .origin = origin_named("slots", device->id.value, message)};
}

/* Where ports are, nothing else is. */
static void take_ports(struct root_bus *root, const struct plan *plan) {
    for (unsigned slot = 0; slot < NO_SLOT; slot++)
        for (unsigned i = 0; plan_is_port_slot(plan, slot) && i < SLOT_FUNCTIONS; i++)
            root->owners[slot][i] = "the ports (hotplug_slots)";
}

/* ---- places that the VM gives ---- */

/* A machine with few slots has its own devices among them. */
static bool has_homes(const struct machine *machine) {
    return machine->slots >= 30;
}

/* The slots that devices can be given. */
static void find_slots(const struct plan *plan, unsigned *first, unsigned *last) {
    bool has_few = plan->arch->pci_slots > 0; /* that have an interrupt */
    *first = has_few ? plan->arch->pci_slot : plan->machine->first_slot;
    *last = *first + (has_few ? plan->arch->pci_slots : plan->machine->slots) - 1;
}

static int check_given(const struct plan *plan, const struct device *device, vqemu_error **error) {
    const struct place *place = &device->place;
    const struct machine *machine = plan->machine;
    const char *id = device->id.value;
    unsigned first, last;
    find_slots(plan, &first, &last);
    if (!plan->arch->pci_slots && !has_homes(machine))
        return slot_refuse(plan, id, VQEMU_ERR_UNSUPPORTED, "machine-lacks-device", NULL, error,
                           "cannot be given: the machine %s of %s guests has devices where QEMU "
                           "itself puts them",
                           plan->machine_name, plan->arch->name);
    if (place->bridge >= 0 && machine->bridge == BRIDGE_NONE)
        return slot_refuse(plan, id, VQEMU_ERR_UNSUPPORTED, "machine-lacks-device", NULL, error,
                           "cannot be given: the machine %s of %s guests has no bridges",
                           plan->machine_name, plan->arch->name);
    if (place->bridge < 0 && (place->slot < first || place->slot > last))
        return slot_refuse(plan, id, VQEMU_ERR_INVALID, "no-such-place", NULL, error,
                           "is none of the slots that the machine %s of %s guests has for devices, "
                           "0x%x to 0x%x",
                           plan->machine_name, plan->arch->name, first, last);
    return 0;
}

static bool is_of_bridges(const struct machine *machine, const struct place *place) {
    return machine->bridge != BRIDGE_NONE && place->slot == machine->bridge_slot &&
           place->function >= SLOT_FUNCTIONS - BRIDGE_MAX;
}

static int take_given(struct root_bus *root, struct plan *plan, struct device *device,
                      vqemu_error **error) {
    int r = slot_find(plan, device, PLACE_SLOT, NULL, &device->place, error);
    if (r <= 0)
        return r;
    r = check_given(plan, device, error);
    if (r < 0)
        return r;
    if (device->place.bridge >= 0)
        return bridges_take(&root->bridges, plan, device, error);
    const char *owner = is_of_bridges(plan->machine, &device->place)
                            ? "a bridge"
                            : root->owners[device->place.slot][device->place.function];
    if (owner)
        return slot_refuse_taken(plan, device->id.value, owner, error);
    own(root, device);
    return 0;
}

static int take_all_given(struct root_bus *root, struct plan *plan, vqemu_error **error) {
    const struct bridge_plan *last = &plan->bridges[BRIDGE_MAX];
    int r = bridges_take_given(plan, error);
    if (last->is_used)
        root->owners[last->place.slot][0] = bridge_ids[BRIDGE_MAX];
    for (size_t i = 0; r == 0 && i < plan->device_count; i++)
        r = take_given(root, plan, plan->devices[i], error);
    return r;
}

static bool is_any_placed(const struct plan *plan) {
    for (size_t i = 0; i < plan->device_count; i++)
        if (plan->devices[i]->place.kind != PLACE_OF_QEMU)
            return true;
    return false;
}

/* ---- homes ---- */

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

static void take_home(struct root_bus *root, struct device *device) {
    unsigned slot = home_of(device);
    if (device->place.kind != PLACE_OF_QEMU || slot == NO_SLOT || root->owners[slot][0])
        return;
    device->place = slot_place(device, slot, OWN_PLACE);
    own(root, device);
}

/* From the top; NO_SLOT if there is none left. */
static unsigned find_free_slot(const struct root_bus *root, const struct machine *machine) {
    for (unsigned slot = machine->first_slot + machine->slots; slot-- > machine->first_slot;)
        if (is_free(root, slot))
            return slot;
    return NO_SLOT;
}

static bool take_free_slot(struct root_bus *root, struct plan *plan, struct device *device) {
    if (device->place.kind != PLACE_OF_QEMU)
        return true;
    unsigned slot = find_free_slot(root, plan->machine);
    if (slot == NO_SLOT)
        return plan->machine->bridge != BRIDGE_NONE && bridges_place(&root->bridges, plan, device);
    device->place =
        slot_place(device, slot, "the last place that is free on the machine's own bus");
    own(root, device);
    return true;
}

/* Devices with a home first; the others take what is left, from the top, and then bridges. False
 * if there is not room for all. */
static bool fill_bus(struct root_bus *root, struct plan *plan) {
    bool has_room = true;
    for (size_t i = 0; i < plan->device_count; i++)
        take_home(root, plan->devices[i]);
    for (size_t i = 0; i < plan->device_count; i++)
        has_room = take_free_slot(root, plan, plan->devices[i]) && has_room;
    return has_room;
}

/* ---- few slots ---- */

/* Spread devices over the slots that have an interrupt; further ones are functions of the same. */
static bool spread(struct root_bus *root, struct plan *plan) {
    unsigned slots = plan->arch->pci_slots, next = 0;
    bool is_shared = plan->device_count > slots;
    for (size_t i = 0; i < plan->device_count; i++) {
        struct device *device = plan->devices[i];
        if (device->place.kind != PLACE_OF_QEMU)
            continue;
        while (next < slots * SLOT_FUNCTIONS &&
               root->owners[plan->arch->pci_slot + next % slots][next / slots])
            next++;
        if (next == slots * SLOT_FUNCTIONS)
            return false;
        device->place = slot_place(device, plan->arch->pci_slot + next % slots,
                                   "few slots of the machine have an interrupt; devices share "
                                   "them");
        device->place.function = next / slots;
        device->place.multifunction = is_shared && device->place.function == 0;
        own(root, device);
    }
    return true;
}

/* ---- functions ---- */

static int refuse_function(const struct plan *plan, const struct device *device,
                           vqemu_error **error) {
    unsigned slot = device->place.slot;
    return slot_refuse(plan, device->id.value, VQEMU_ERR_INVALID, "no-first-function", NULL, error,
                       "would not be found: guests look for functions of a slot only where a "
                       "device has the first of them, \"0x%x\"",
                       slot);
}

/* The first of several says that there are others. */
static int settle_functions(const struct root_bus *root, struct plan *plan, vqemu_error **error) {
    bridges_drop_empty(&root->bridges, plan);
    for (size_t i = 0; i < plan->device_count; i++) {
        struct place *place = &plan->devices[i]->place;
        if (place->kind != PLACE_SLOT || place->bridge >= 0)
            continue;
        if (place->function > 0 && !root->owners[place->slot][0])
            return refuse_function(plan, plan->devices[i], error);
        if (place->function == 0 &&
            (has_further_functions(root, place->slot) ||
             (bridges_are_used(plan) && place->slot == plan->machine->bridge_slot)))
            place->multifunction = true;
    }
    bridges_settle(plan, root->owners[plan->machine->bridge_slot][0] != NULL);
    return 0;
}

/* ---- channel devices ---- */

/* The number that a device has by its noun; 0 if it has none. */
static unsigned channel_of(const struct device *device) {
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (strcmp(device->noun, ranges[i].noun) == 0)
            return ranges[i].first + (device->number < 0 ? 0 : (unsigned)device->number);
    return 0;
}

/* Which device has a number; NULL if none has. */
static const struct device *channel_owner(const struct plan *plan, unsigned channel) {
    for (size_t i = 0; i < plan->device_count; i++) {
        const struct device *device = plan->devices[i];
        if (device->place.kind == PLACE_CHANNEL && device->place.channel == channel)
            return device;
    }
    return NULL;
}

static int take_given_channel(struct plan *plan, struct device *device, vqemu_error **error) {
    struct place given;
    int r = slot_find(plan, device, PLACE_CHANNEL, NULL, &given, error);
    const struct device *owner = r > 0 ? channel_owner(plan, given.channel) : NULL;
    if (owner)
        return slot_refuse_taken(plan, device->id.value, owner->id.value, error);
    if (r > 0)
        device->place = given;
    return r < 0 ? r : 0;
}

static void take_channel(struct plan *plan, struct device *device) {
    unsigned channel = channel_of(device);
    bool is_own = channel && !channel_owner(plan, channel);
    if (!is_own)
        channel = FIRST_FREE_NUMBER;
    while (channel_owner(plan, channel))
        channel++;
    device->place = (struct place){
        .kind = PLACE_CHANNEL,
        .bridge = -1,
        .channel = channel,
        .origin = origin_named("slots", device->id.value,
                               is_own ? OWN_PLACE : "the first number that is free"),
    };
}

static int number_channel_devices(struct plan *plan, vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->device_count; i++)
        r = take_given_channel(plan, plan->devices[i], error);
    for (size_t i = 0; r == 0 && i < plan->device_count; i++)
        if (plan->devices[i]->place.kind == PLACE_OF_QEMU)
            take_channel(plan, plan->devices[i]);
    return r;
}

/* ---- all of them ---- */

static int refuse_crowd(const struct plan *plan, unsigned room, vqemu_error **error) {
    return refuse(error, VQEMU_ERR_UNSUPPORTED,
                  "the VM has %zu PCI devices; the machine %s of %s guests has room for %u. "
                  "Disks on the bus scsi share one",
                  plan->device_count, plan->machine_name, plan->arch->name, room);
}

/* Where all fit as QEMU places them, and none is given a place, that is as good. */
static bool place_devices(struct root_bus *root, struct plan *plan) {
    unsigned few = plan->arch->pci_slots;
    if (few)
        return (plan->device_count <= few && !is_any_placed(plan)) || spread(root, plan);
    return !has_homes(plan->machine) || fill_bus(root, plan);
}

static int place_on_pci(struct plan *plan, vqemu_error **error) {
    unsigned own = plan->machine->slots - plan_port_slots(plan);
    unsigned room = own + (plan->machine->bridge ? BRIDGES_ROOM : 0);
    struct root_bus root = {0};
    if (plan->device_count > room)
        return refuse_crowd(plan, room, error);
    take_ports(&root, plan);
    int r = take_all_given(&root, plan, error);
    if (r == 0 && !place_devices(&root, plan))
        r = refuse_crowd(plan, room - 1, error); /* the last bridge has a slot */
    return r == 0 ? settle_functions(&root, plan, error) : r;
}

int plan_places(struct plan *plan, vqemu_error **error) {
    int r = plan_check_ports(plan, error);
    if (r == 0)
        r = plan_has_pci(plan) ? place_on_pci(plan, error) : number_channel_devices(plan, error);
    return r == 0 ? slots_check_used(plan, error) : r;
}
