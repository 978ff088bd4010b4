/* SPDX-License-Identifier: MIT */
/* Disks and CD-ROM drives: the bus of each, and its place there. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/plan-image.h"
#include "command/plan-nouns.h"
#include "command/plan-place.h"
#include "command/plan-bus.h"
#include "command/refusal.h"

#define BLOCK_SERIAL_MAX 20 /* virtio-blk, IDE and NVMe have no more room */
#define SCSI_DISKS_MAX 256  /* targets of one controller */
#define USB_DISKS_MAX (USB_PORTS - USB_FIRST_DISK_PORT + 1)

/* Those of disks alone; that of USB is the controller's (plan-usb.c). */
struct buses {
    struct numbered_bus ide, scsi;
};

static int disk_error(const struct drive *drive, const char *key, const char *text,
                      vqemu_error **error) {
    return refuse(error, VQEMU_ERR_INVALID, "disks[%zu].%s: %s", drive->position, key, text);
}

static bool is_read_only(const vqemu_disk *disk) {
    return is_on(disk->read_only) || is_on(disk->cdrom);
}

/* ---- the bus ---- */

static bool has_plain_ide(const struct plan *plan) {
    return plan->machine->ide == IDE_BUILT_IN || plan->machine->ide == SATA_BUILT_IN;
}

static const char *plain_bus(const struct plan *plan, const vqemu_disk *disk) {
    const char *bus = is_on(disk->cdrom) ? plan->machine->plain_cdrom : plan->machine->plain_disk;
    return is_chosen(bus, "usb") && plan->vm->usb == TOGGLE_OFF ? "ide" : bus;
}

static unsigned ide_drives(const struct plan *plan) {
    return plan->machine->ide == IDE_BUILT_IN ? 4 : 6;
}

static struct choice default_bus(const struct plan *plan, const vqemu_disk *disk) {
    bool has_drivers = plan_has_virtio_drivers(plan), is_cdrom = is_on(disk->cdrom);
    if (is_cdrom && has_plain_ide(plan))
        return (struct choice){"ide", origin_none("default: where CD-ROM drives of PCs are")};
    if (!has_drivers && plain_bus(plan, disk))
        return (struct choice){plain_bus(plan, disk),
                               origin_none("default: systems without virtio drivers know it")};
    if (is_cdrom)
        return (struct choice){"scsi", origin_none("default: virtio has no CD-ROM drives")};
    return (struct choice){"virtio", origin_none("default: the fastest")};
}

struct choice plan_disk_bus(const struct plan *plan, size_t number) {
    const vqemu_disk *disk = plan->vm->disks.items[number];
    struct choice bus = disk->bus ? (struct choice){.value = disk->bus} : default_bus(plan, disk);
    bus.origin = origin_in("disks", number, "bus", bus.origin.message);
    return bus;
}

size_t plan_first_usb_disk(const struct plan *plan) {
    size_t i = 0;
    while (i < plan->vm->disks.count && !is_chosen(plan_disk_bus(plan, i).value, "usb"))
        i++;
    return i;
}

/* ---- checks ---- */

/* What a machine has built in is in every QEMU that has the machine. */
static bool needs_storage(const struct plan *plan, const struct drive *drive) {
    return is_chosen(drive->bus.value, "nvme") ||
           (is_chosen(drive->bus.value, "ide") && !has_plain_ide(plan));
}

static int check_bus(const struct plan *plan, const struct drive *drive, vqemu_error **error) {
    const vqemu_disk *disk = drive->disk;
    char key[48];
    snprintf(key, sizeof key, "disks[%zu].bus", drive->position);
    if (is_chosen(drive->bus.value, "ide") && plan->machine->ide == IDE_NONE)
        return refuse_for_machine(plan, key, "IDE or SATA; it has virtio and scsi", error);
    if (is_chosen(drive->bus.value, "nvme") && !plan->arch->msix)
        return refuse_for_machine(plan, key, "MSI-X, which nvme needs; it has virtio and scsi",
                                  error);
    if (is_chosen(drive->bus.value, "usb") && !plan_has_pci(plan))
        return refuse_for_machine(plan, key, "USB; it has virtio and scsi", error);
    if (is_chosen(drive->bus.value, "usb") && plan->vm->usb == TOGGLE_OFF)
        return disk_error(drive, "bus", "a disk on usb needs \"usb\": true", error);
    if (is_on(disk->cdrom) &&
        (is_chosen(drive->bus.value, "virtio") || is_chosen(drive->bus.value, "nvme")))
        return disk_error(drive, "bus", "a CD-ROM drive can be on ide, scsi or usb", error);
    if (is_chosen(drive->bus.value, "ide") && is_on(disk->read_only) && !is_on(disk->cdrom))
        return disk_error(drive, "read_only", "IDE and SATA disks cannot be; take another bus",
                          error);
    if (disk->iothread && !is_chosen(drive->bus.value, "virtio") &&
        !is_chosen(drive->bus.value, "scsi"))
        return disk_error(drive, "iothread", "only disks on virtio and scsi can have one", error);
    if (disk->serial && strlen(disk->serial) > BLOCK_SERIAL_MAX &&
        !is_chosen(drive->bus.value, "scsi"))
        return disk_error(drive, "serial", "it has more than 20 bytes; only scsi takes 36", error);
    return needs_storage(plan, drive) ? refuse_without(plan, VQEMU_ABILITY_STORAGE, key, error) : 0;
}

static bool has_descriptor(const vqemu_disk *disk) {
    return disk->fd || disk->fd_name;
}

static int check_image(const struct drive *drive, vqemu_error **error) {
    const vqemu_disk *disk = drive->disk;
    if (disk->fd && disk->fd_name)
        return disk_error(drive, "fd_name", "the disk also has an fd; it can have one of them",
                          error);
    if (disk->file && has_descriptor(disk))
        return disk_error(drive, disk->fd ? "fd" : "fd_name",
                          "the disk also has a file; it can have one of them", error);
    if (!disk->file && !has_descriptor(disk) && !is_on(disk->cdrom))
        return disk_error(drive, "file", "missing; only a CD-ROM drive can be without", error);
    if (is_chosen(disk->aio, "native") && !drive->caching.direct)
        return disk_error(drive, "aio", "native needs the cache mode none or directsync", error);
    return 0;
}

static int refuse_crowd(const struct plan *plan, const struct drive *drive, vqemu_error **error) {
    if (is_chosen(drive->bus.value, "ide"))
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
                      "disks[%zu].bus: the machine %s has room for %u IDE or SATA drives",
                      drive->position, plan->machine_name, ide_drives(plan));
    if (is_chosen(drive->bus.value, "scsi"))
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
                      "disks[%zu].bus: there is room for %d SCSI drives", drive->position,
                      SCSI_DISKS_MAX);
    return refuse(error, VQEMU_ERR_UNSUPPORTED, "disks[%zu].bus: there is room for %d USB drives",
                  drive->position, USB_DISKS_MAX);
}

/* ---- the place ---- */

/* NULL: it has a place of the machine's own bus. */
static struct numbered_bus *bus_of(struct plan *plan, const struct drive *drive,
                                   struct buses *buses) {
    return is_chosen(drive->bus.value, "ide")    ? &buses->ide
           : is_chosen(drive->bus.value, "scsi") ? &buses->scsi
           : is_chosen(drive->bus.value, "usb")  ? &plan->usb.ports
                                                 : NULL;
}

static int take_unit(struct plan *plan, struct drive *drive, struct buses *buses,
                     vqemu_error **error) {
    struct numbered_bus *bus = bus_of(plan, drive, buses);
    unsigned from = bus == &plan->usb.ports ? USB_FIRST_DISK_PORT : 0;
    return !bus || numbered_bus_take_free(bus, &drive->device, from)
               ? 0
               : refuse_crowd(plan, drive, error);
}

/* Whether an earlier disk has the same I/O thread, on the same bus if that is given. */
static bool was_named_before(const struct plan *plan, const struct drive *drive, const char *bus) {
    for (const struct drive *other = plan->drives; other < drive; other++) {
        if (bus && !is_chosen(other->bus.value, bus))
            continue;
        if (drive->disk->iothread ? is_chosen(other->disk->iothread, drive->disk->iothread)
                                  : !other->disk->iothread)
            return true;
    }
    return false;
}

/* The first disk of an I/O thread brings the controller. */
static void plan_controller(struct plan *plan, struct drive *drive) {
    const char *iothread = drive->disk->iothread;
    if (was_named_before(plan, drive, "scsi"))
        return;
    struct controller *controller = &plan->controllers[plan->controller_count++];
    controller->iothread = iothread;
    plan_device(plan, &controller->device, iothread ? "scsi-" : "scsi", -1);
    if (iothread)
        controller->device.id.value = arena_join(&plan->texts, "scsi-", iothread, NULL);
    plan_attach(plan, &controller->device);
    drive->controller = controller;
}

static bool is_first_on(const struct plan *plan, const struct drive *drive, const char *bus) {
    const struct drive *first = plan->drives;
    while (first < drive && !is_chosen(first->bus.value, bus))
        first++;
    return first == drive;
}

static void plan_sata(struct plan *plan, struct drive *drive) {
    drive->adds_sata = plan->machine->ide == SATA_ADDED && is_first_on(plan, drive, "ide");
    if (!drive->adds_sata)
        return;
    plan_device(plan, &drive->sata, "ide", -1);
    plan_attach(plan, &drive->sata);
}

static void plan_attachment(struct plan *plan, struct drive *drive) {
    if (is_chosen(drive->bus.value, "scsi"))
        plan_controller(plan, drive);
    else if (is_chosen(drive->bus.value, "ide"))
        plan_sata(plan, drive);
    else if (!is_chosen(drive->bus.value, "usb"))
        plan_attach(plan, &drive->device);
}

static bool is_serial_given(const vqemu_vm *vm, const char *serial) {
    for (size_t i = 0; i < vm->disks.count; i++)
        if (is_chosen(((const vqemu_disk *)vm->disks.items[i])->serial, serial))
            return true;
    return false;
}

/* By what the guest knows the disk again, wherever it is attached. A disk that had the number
 * before may have kept the serial. */
static struct choice choose_serial(struct plan *plan, const struct drive *drive) {
    int number = drive->device.number;
    if (drive->disk->serial)
        return (struct choice){drive->disk->serial,
                               origin_in("disks", drive->position, "serial", NULL)};
    const char *serial = arena_textf(&plan->texts, "disk%d", number);
    while (is_serial_given(plan->vm, serial)) {
        number += LIST_MAX;
        serial = arena_textf(&plan->texts, "disk%d", number);
    }
    return (struct choice){
        serial, origin_in("disks", drive->position, "serial", "default: the number of the disk")};
}

/* A SCSI disk has, besides a serial number, an id, by which udev and multipath name it, and QEMU
 * makes that of the name of a backend of the old kind alone. A CD-ROM drive on USB is one. */
static struct choice choose_device_id(const struct drive *drive) {
    bool is_scsi = is_chosen(drive->bus.value, "scsi") ||
                   (is_chosen(drive->bus.value, "usb") && is_on(drive->disk->cdrom));
    return is_scsi ? drive->serial : (struct choice){0};
}

static struct caching caching_of(const vqemu_disk *disk, size_t position) {
    bool both = is_chosen(disk->cache, "directsync");
    return (struct caching){.direct = both || is_chosen(disk->cache, "none"),
                            .writes_through = both || is_chosen(disk->cache, "writethrough"),
                            .ignores_flushes = is_chosen(disk->cache, "unsafe"),
                            .origin = origin_in("disks", position, "cache", NULL)};
}

static struct origin origin_of_bootindex(const struct drive *drive) {
    return origin_in(
        "disks", drive->position, "boot_order",
        drive->disk->boot_order ? NULL : "default: the order of the list, CD-ROM drives last");
}

/* ---- all of them ---- */

static int check_drive(const struct plan *plan, const struct drive *drive, vqemu_error **error) {
    int r = check_bus(plan, drive, error);
    if (r == 0)
        r = check_image(drive, error);
    return r == 0 ? plan_check_image(drive->disk, drive->position, error) : r;
}

static void begin_drive(struct plan *plan, size_t position) {
    const vqemu_disk *disk = plan->vm->disks.items[position];
    struct drive *drive = &plan->drives[position];
    *drive = (struct drive){.disk = disk,
                            .position = position,
                            .bus = plan_disk_bus(plan, position),
                            .caching = caching_of(disk, position),
                            .read_only = is_read_only(disk),
                            .has_medium = disk->file || has_descriptor(disk),
                            .bootindex = plan_disk_bootindex(plan, position)};
    plan_listed_device(plan, &drive->device, LIST_OF_DISKS, position);
    drive->serial = choose_serial(plan, drive);
    drive->device_id = choose_device_id(drive);
    drive->bootindex_origin = origin_of_bootindex(drive);
}

static int plan_drive(struct plan *plan, struct drive *drive, struct buses *buses,
                      vqemu_error **error) {
    int r = check_drive(plan, drive, error);
    if (r == 0)
        r = take_unit(plan, drive, buses, error);
    if (r < 0)
        return r;
    drive->adds_iothread = drive->disk->iothread && !was_named_before(plan, drive, NULL);
    if (drive->has_medium)
        plan_images(plan, drive);
    plan_attachment(plan, drive);
    return 0;
}

/* Those that the VM gives come before those that are free. */
static int take_given_units(struct plan *plan, struct buses *buses, vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->vm->disks.count; i++) {
        struct drive *drive = &plan->drives[i];
        struct numbered_bus *bus = bus_of(plan, drive, buses);
        if (bus && (bus != &plan->usb.ports || plan->usb.controller))
            r = numbered_bus_take_given(plan, bus, &drive->device, error);
    }
    return r;
}

static bool is_there_one_on(const struct plan *plan, const char *bus) {
    for (size_t i = 0; i < plan->vm->disks.count; i++)
        if (is_chosen(plan->drives[i].bus.value, bus))
            return true;
    return false;
}

static int begin_drives(struct plan *plan, struct buses *buses, vqemu_error **error) {
    size_t count = plan->vm->disks.count;
    plan->drives = arena_add(&plan->texts, count * sizeof *plan->drives);
    plan->controllers = arena_add(&plan->texts, count * sizeof *plan->controllers);
    if (plan->texts.failed)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        begin_drive(plan, i);
    if (is_there_one_on(plan, "ide"))
        numbered_bus_begin(plan, &buses->ide, "ide", 0, ide_drives(plan));
    if (is_there_one_on(plan, "scsi"))
        numbered_bus_begin(plan, &buses->scsi, "scsi", 0, SCSI_DISKS_MAX);
    return plan->texts.failed ? error_no_memory(error) : take_given_units(plan, buses, error);
}

int plan_disks(struct plan *plan, vqemu_error **error) {
    size_t count = plan->vm->disks.count;
    struct buses buses = {0};
    int r = plan_check_boot_order(plan, error);
    if (r == 0)
        r = plan_check_layer_count(plan->vm, error);
    if (r == 0 && count > 0)
        r = begin_drives(plan, &buses, error);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = plan_drive(plan, &plan->drives[i], &buses, error);
    return r;
}
