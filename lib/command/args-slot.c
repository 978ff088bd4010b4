/* SPDX-License-Identifier: MIT */
/*
 * The slots of PCI devices, and the device numbers of channel devices. Each noun has slots of its
 * own, so that a device stays where it is, and keeps the name that the guest has given it, when
 * others are added or taken away. QEMU by itself would number them in the order of the arguments.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/args-nouns.h"

#define NO_SLOT 32

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

static bool takes_slot(const char *device) {
    static const char *const others[] = {"scsi-",           "ide-",   "usb-",
                                         "virtserialport,", "ramfb,", "tpm-"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(device, others[i], strlen(others[i])) == 0)
            return false;
    return true;
}

static bool is_in_slot(const struct args *args, size_t i) {
    return i > 0 && strcmp(args->argv.items[i - 1], "-device") == 0 &&
           takes_slot(args->argv.items[i]);
}

/* The slot that a device has by its id; NO_SLOT if there is none. */
static unsigned home_of(const char *device) {
    const char *id = strstr(device, ",id=");
    for (size_t i = 0; id && i < sizeof homes / sizeof *homes; i++) {
        const struct home *home = &homes[i];
        size_t length = strlen(home->id);
        if (strncmp(id + 4, home->id, length) != 0)
            continue;
        const char *rest = id + 4 + length;
        unsigned long number = home->count > 1 ? strtoul(rest, NULL, 10) : 0;
        bool is_whole = home->count > 1 ? *rest >= '0' && *rest <= '9' : *rest == ',' || !*rest;
        if (is_whole)
            return number < home->count ? home->slot + (unsigned)number : NO_SLOT;
    }
    return NO_SLOT;
}

static bool set_address(struct args *args, size_t i, unsigned slot, unsigned function,
                        bool multifunction) {
    char **device = &args->argv.items[i];
    char address[16] = "";
    if (function > 0 || multifunction)
        snprintf(address, sizeof address, ".%u", function);
    char *placed = format_string("%s,addr=0x%x%s%s", *device, slot, address,
                                 multifunction ? ",multifunction=on" : "");
    if (!placed)
        return false;
    free(*device);
    *device = placed;
    return true;
}

/* Devices with a home first; the others take what is left, from the top. */
static int place(struct args *args, vqemu_error **error) {
    unsigned end = args->machine->first_slot + args->machine->slots;
    bool taken[NO_SLOT] = {false}, good = true;
    for (size_t i = 0; i < args->argv.count; i++) {
        unsigned slot = is_in_slot(args, i) ? home_of(args->argv.items[i]) : NO_SLOT;
        if (slot != NO_SLOT)
            taken[slot] = true;
    }
    for (size_t i = 0; good && i < args->argv.count; i++) {
        if (!is_in_slot(args, i))
            continue;
        unsigned slot = home_of(args->argv.items[i]);
        for (unsigned free_slot = end - 1; slot == NO_SLOT; free_slot--)
            if (!taken[free_slot]) /* there is one: count <= room */
                slot = free_slot;
        taken[slot] = true;
        good = set_address(args, i, slot, 0, false);
    }
    return good ? 0 : error_no_memory(error);
}

/* Spread devices over the slots that have an interrupt; further ones are functions of the same. */
static int spread(struct args *args, vqemu_error **error) {
    unsigned number = 0, first = args->arch->pci_slot, slots = args->arch->pci_slots;
    for (size_t i = 0; i < args->argv.count; i++) {
        if (!is_in_slot(args, i))
            continue;
        if (!set_address(args, i, first + number % slots, number / slots, number < slots))
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

int args_place_devices(struct args *args, vqemu_error **error) {
    unsigned count = 0, room = args->machine->slots;
    if (args->argv.failed)
        return error_no_memory(error);
    for (size_t i = 0; i < args->argv.count; i++)
        count += is_in_slot(args, i);
    if (strcmp(args->arch->bus, "ccw") == 0)
        return number_channel_devices(args, error);
    if (count > room)
        return args_refuse(
            error, VQEMU_ERR_UNSUPPORTED,
            "the VM has %u PCI devices; the machine %s of %s guests has room for %u. "
            "Disks on the bus scsi share one",
            count, args->machine_name, args->arch->name, room);
    if (args->arch->pci_slots)
        return count > args->arch->pci_slots ? spread(args, error) : 0;
    return has_homes(args->machine) ? place(args, error) : 0;
}
