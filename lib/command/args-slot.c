/* SPDX-License-Identifier: MIT */
/*
 * The slots of PCI devices, and the device numbers of channel devices. Each noun has slots of its
 * own, so that a device stays where it is, and keeps the name that the guest has given it, when
 * others are added or taken away. QEMU by itself would number them in the order of the arguments.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/args-address.h"
#include "command/args-bridge.h"
#include "command/args-nouns.h"

static const struct home {
    const char *id;
    unsigned slot, count; /* "nic0" to "nic7" have 0x10 to 0x17 */
} homes[] = {
    {"video", 0x02, 1},   {"usb", 0x03, 1},  {"serial", 0x04, 1}, {"watchdog", 0x05, 1},
    {"rng-device", 6, 1}, {"balloon", 7, 1}, {"vsock", 0x08, 1},  {"rootfs", 0x09, 1},
    {"share", 0x0a, 4},   {"scsi", 0x0e, 1}, {"ide", 0x0f, 1},    {"nic", 0x10, 8},
    {"drive", 0x18, 7},
};

/* Channel devices of s390x; there can be more of a list than it has elements. */
static const struct number_range {
    const char *id;
    unsigned first;
    bool is_list;
} ranges[] = {
    {"video", 0x0002, false},  {"tablet", 0x0003, false}, {"keyboard", 0x0004, false},
    {"serial", 0x0005, false}, {"rng-device", 6, false},  {"balloon", 0x0007, false},
    {"vsock", 0x0008, false},  {"rootfs", 0x0009, false}, {"scsi", 0x000e, false},
    {"share", 0x1000, true},   {"nic", 0x2000, true},     {"drive", 0x3000, true},
};
#define FIRST_SCSI_NUMBER 0x4000 /* of the controllers for I/O threads, as they come */

/* Ports and bridges have places of their own (args-bridge.c). */
static bool takes_slot(const char *device) {
    static const char *const others[] = {
        "scsi-", "ide-", "usb-", "virtserialport,", "ramfb,", "tpm-", "pcie-root-port,",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(device, others[i], strlen(others[i])) == 0)
            return false;
    return true;
}

static bool is_in_slot(const struct args *args, size_t i) {
    return i > 0 && strcmp(args->argv.items[i - 1], "-device") == 0 &&
           takes_slot(args->argv.items[i]);
}

/* "rng-device" of ",id=rng-device,...", and no longer id. */
static bool has_id(const char *device, const char *wanted) {
    const char *id = strstr(device, ",id=");
    size_t length = strlen(wanted);
    return id && strncmp(id + strlen(",id="), wanted, length) == 0 &&
           strchr(",", id[strlen(",id=") + length]);
}

/* The slot that a device has by its id; NO_SLOT if there is none. */
static unsigned home_of(const char *device) {
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++) {
        const struct home *home = &homes[i];
        unsigned long number;
        if (home->count == 1 && has_id(device, home->id))
            return home->slot;
        if (home->count > 1 && args_device_number(device, home->id, &number))
            return number < home->count ? home->slot + (unsigned)number : NO_SLOT;
    }
    return NO_SLOT;
}

/* The machine's own bus while it is being filled. */
struct root_bus {
    bool taken[NO_SLOT];
    struct bridges bridges;
};

/* Where ports are, nothing else is: what would be at home there is as good as homeless. */
static void take_homes(struct root_bus *root, const struct args *args) {
    bool ports[NO_SLOT] = {false};
    args_take_port_slots(args, ports);
    memcpy(root->taken, ports, sizeof ports);
    for (size_t i = 0; i < args->argv.count; i++) {
        unsigned slot = is_in_slot(args, i) ? home_of(args->argv.items[i]) : NO_SLOT;
        if (slot != NO_SLOT)
            root->taken[slot] = true;
    }
}

static bool is_port_slot(const struct args *args, unsigned slot) {
    bool ports[NO_SLOT] = {false};
    args_take_port_slots(args, ports);
    return ports[slot];
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

/* False without memory. */
static bool place_device(struct root_bus *root, const struct args *args, char **device) {
    unsigned slot = home_of(*device);
    if (slot == NO_SLOT || is_port_slot(args, slot))
        slot = take_free_slot(root, args->machine);
    if (slot == NO_SLOT)
        return bridges_place(&root->bridges, device);
    /* beside bridges, it is a function of several */
    bool multifunction = root->bridges.are_needed && slot == args->machine->bridge_slot;
    return args_add_address(device, NULL, slot, 0, multifunction);
}

/* Devices with a home first; the others take what is left, from the top, and then bridges. */
static int place(struct args *args, bool are_bridges_needed, vqemu_error **error) {
    struct root_bus root = {.bridges = {.are_needed = are_bridges_needed}};
    bool good = true;
    take_homes(&root, args);
    for (size_t i = 0; good && i < args->argv.count; i++)
        if (is_in_slot(args, i))
            good = place_device(&root, args, &args->argv.items[i]);
    return good && bridges_add(&root.bridges, args) ? 0 : error_no_memory(error);
}

/* Spread devices over the slots that have an interrupt; further ones are functions of the same. */
static int spread(struct args *args, vqemu_error **error) {
    unsigned number = 0, first = args->arch->pci_slot, slots = args->arch->pci_slots;
    for (size_t i = 0; i < args->argv.count; i++) {
        if (!is_in_slot(args, i))
            continue;
        if (!args_add_address(&args->argv.items[i], NULL, first + number % slots, number / slots,
                              number < slots))
            return error_no_memory(error);
        number++;
    }
    return 0;
}

/* ---- channel devices ---- */

static bool is_on_channel(const struct args *args, size_t i) {
    const char *device = args->argv.items[i];
    size_t model = strcspn(device, ",");
    return i > 0 && strcmp(args->argv.items[i - 1], "-device") == 0 && model > strlen("-ccw") &&
           strncmp(device + model - strlen("-ccw"), "-ccw", strlen("-ccw")) == 0;
}

static unsigned device_number(const char *device, unsigned *scsi_count) {
    const char *id = strstr(device, ",id=");
    for (size_t i = 0; id && i < sizeof ranges / sizeof *ranges; i++) {
        size_t length = strlen(ranges[i].id);
        const char *rest = id + strlen(",id=") + length;
        if (strncmp(id + strlen(",id="), ranges[i].id, length) != 0)
            continue;
        if (ranges[i].is_list && *rest >= '0' && *rest <= '9')
            return ranges[i].first + (unsigned)strtoul(rest, NULL, 10);
        if (!ranges[i].is_list && (*rest == ',' || !*rest))
            return ranges[i].first;
    }
    return FIRST_SCSI_NUMBER + (*scsi_count)++;
}

static int number_channel_devices(struct args *args, vqemu_error **error) {
    unsigned scsi_count = 0;
    for (size_t i = 0; i < args->argv.count; i++) {
        char **device = &args->argv.items[i];
        if (!is_on_channel(args, i))
            continue;
        char *placed =
            format_string("%s,devno=fe.0.%04x", *device, device_number(*device, &scsi_count));
        if (!placed)
            return error_no_memory(error);
        free(*device);
        *device = placed;
    }
    return 0;
}

/* ---- all of them ---- */

/* A machine with few slots has its own devices among them. */
static bool has_homes(const struct machine *machine) {
    return machine->slots >= 30;
}

static int refuse(const struct args *args, unsigned count, unsigned room, vqemu_error **error) {
    return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                       "the VM has %u PCI devices; the machine %s of %s guests has room for %u. "
                       "Disks on the bus scsi share one",
                       count, args->machine_name, args->arch->name, room);
}

int args_place_devices(struct args *args, vqemu_error **error) {
    unsigned count = 0, own = args->machine->slots - args_port_slots(args);
    unsigned room = own + (args->machine->bridge ? BRIDGES_ROOM : 0);
    if (args->argv.failed)
        return error_no_memory(error);
    for (size_t i = 0; i < args->argv.count; i++)
        count += is_in_slot(args, i);
    if (strcmp(args->arch->bus, "ccw") == 0)
        return number_channel_devices(args, error);
    if (count > room)
        return refuse(args, count, room, error);
    if (args->arch->pci_slots)
        return count > args->arch->pci_slots ? spread(args, error) : 0;
    return has_homes(args->machine) ? place(args, count > own, error) : 0;
}
