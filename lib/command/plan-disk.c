/* SPDX-License-Identifier: MIT */
/* Disks and CD-ROM drives: the bus of each, and its place there. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/plan-image.h"
#include "command/plan-nouns.h"
#include "command/plan-place.h"
#include "command/refusal.h"

#define BLOCK_SERIAL_MAX 20 /* virtio-blk, IDE and NVMe have no more room */
#define SCSI_DISKS_MAX 256  /* targets of one controller */
#define USB_DISKS_MAX (USB_PORTS - USB_FIRST_DISK_PORT + 1)

/* What disks have taken so far. */
struct buses {
    unsigned ide, scsi, usb;
};

static bool is(const char *choice, const char *value) {
    return choice && strcmp(choice, value) == 0;
}

static int disk_error(const struct drive *drive, const char *key, const char *text,
                      vqemu_error **error) {
    return refuse(error, VQEMU_ERR_INVALID, "disks[%zu].%s: %s", drive->number, key, text);
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
    return is(bus, "usb") && plan->vm->usb == TOGGLE_OFF ? "ide" : bus;
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
    bus.origin = origin_in("disks", number, "bus", bus.origin.reason);
    return bus;
}

size_t plan_first_usb_disk(const struct plan *plan) {
    size_t i = 0;
    while (i < plan->vm->disks.count && !is(plan_disk_bus(plan, i).value, "usb"))
        i++;
    return i;
}

/* ---- checks ---- */

static int check_bus(const struct plan *plan, const struct drive *drive, vqemu_error **error) {
    const vqemu_disk *disk = drive->disk;
    char key[48];
    snprintf(key, sizeof key, "disks[%zu].bus", drive->number);
    if (is(drive->bus.value, "ide") && plan->machine->ide == IDE_NONE)
        return refuse_for_machine(plan, key, "IDE or SATA; it has virtio and scsi", error);
    if (is(drive->bus.value, "nvme") && !plan->arch->msix)
        return refuse_for_machine(plan, key, "MSI-X, which nvme needs; it has virtio and scsi",
                                  error);
    if (is(drive->bus.value, "usb") && !plan_has_pci(plan))
        return refuse_for_machine(plan, key, "USB; it has virtio and scsi", error);
    if (is(drive->bus.value, "usb") && plan->vm->usb == TOGGLE_OFF)
        return disk_error(drive, "bus", "a disk on usb needs \"usb\": true", error);
    if (is_on(disk->cdrom) && (is(drive->bus.value, "virtio") || is(drive->bus.value, "nvme")))
        return disk_error(drive, "bus", "a CD-ROM drive can be on ide, scsi or usb", error);
    if (is(drive->bus.value, "ide") && is_on(disk->read_only) && !is_on(disk->cdrom))
        return disk_error(drive, "read_only", "IDE and SATA disks cannot be; take another bus",
                          error);
    if (disk->iothread && !is(drive->bus.value, "virtio") && !is(drive->bus.value, "scsi"))
        return disk_error(drive, "iothread", "only disks on virtio and scsi can have one", error);
    if (disk->serial && strlen(disk->serial) > BLOCK_SERIAL_MAX && !is(drive->bus.value, "scsi"))
        return disk_error(drive, "serial", "it has more than 20 bytes; only scsi takes 36", error);
    return 0;
}

static bool has_descriptor(const vqemu_disk *disk) {
    return disk->fd || disk->fd_name;
}

static int check_image(const struct drive *drive, vqemu_error **error) {
    const vqemu_disk *disk = drive->disk;
    bool direct = is(disk->cache, "none") || is(disk->cache, "directsync");
    if (disk->fd && disk->fd_name)
        return disk_error(drive, "fd_name", "the disk also has an fd; it can have one of them",
                          error);
    if (disk->file && has_descriptor(disk))
        return disk_error(drive, disk->fd ? "fd" : "fd_name",
                          "the disk also has a file; it can have one of them", error);
    if (!disk->file && !has_descriptor(disk) && !is_on(disk->cdrom))
        return disk_error(drive, "file", "missing; only a CD-ROM drive can be without", error);
    if (is(disk->aio, "native") && !direct)
        return disk_error(drive, "aio", "native needs the cache mode none or directsync", error);
    return 0;
}

static int check_room(const struct plan *plan, const struct drive *drive, const struct buses *buses,
                      vqemu_error **error) {
    unsigned ide_max = plan->machine->ide == IDE_BUILT_IN ? 4 : 6;
    if (is(drive->bus.value, "ide") && buses->ide == ide_max)
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
                      "disks[%zu].bus: the machine %s has room for %u IDE or SATA drives",
                      drive->number, plan->machine_name, ide_max);
    if (is(drive->bus.value, "scsi") && buses->scsi == SCSI_DISKS_MAX)
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
                      "disks[%zu].bus: there is room for %d SCSI drives", drive->number,
                      SCSI_DISKS_MAX);
    if (is(drive->bus.value, "usb") && buses->usb == USB_DISKS_MAX)
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
                      "disks[%zu].bus: there is room for %d USB drives", drive->number,
                      USB_DISKS_MAX);
    return 0;
}

/* ---- the place ---- */

/* Whether an earlier disk has the same I/O thread, on the same bus if that is given. */
static bool was_named_before(const struct plan *plan, const struct drive *drive, const char *bus) {
    for (const struct drive *other = plan->drives; other < drive; other++) {
        if (bus && !is(other->bus.value, bus))
            continue;
        if (drive->disk->iothread ? is(other->disk->iothread, drive->disk->iothread)
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
        controller->device.id.value = arena_textf(&plan->texts, "scsi-%s", iothread);
    plan_attach(plan, &controller->device);
    drive->controller = controller;
}

static void plan_sata(struct plan *plan, struct drive *drive) {
    drive->adds_sata = plan->machine->ide == SATA_ADDED && drive->index == 0;
    if (!drive->adds_sata)
        return;
    plan_device(plan, &drive->sata, "ide", -1);
    plan_attach(plan, &drive->sata);
}

static void plan_attachment(struct plan *plan, struct drive *drive, struct buses *buses) {
    plan_listed_device(plan, &drive->device, "drive", "disks", drive->number, drive->disk->id);
    if (is(drive->bus.value, "scsi")) {
        drive->index = buses->scsi++;
        plan_controller(plan, drive);
    } else if (is(drive->bus.value, "ide")) {
        drive->index = buses->ide++;
        plan_sata(plan, drive);
    } else if (is(drive->bus.value, "usb")) {
        drive->index = USB_FIRST_DISK_PORT + buses->usb++;
    } else {
        plan_attach(plan, &drive->device);
    }
}

/* By what the guest knows the disk again, wherever it is attached. */
static struct choice choose_serial(struct plan *plan, const vqemu_disk *disk, size_t number) {
    const char *reason = disk->serial ? NULL : "default: the number of the disk";
    return (struct choice){disk->serial ? disk->serial
                                        : arena_textf(&plan->texts, "disk%zu", number),
                           origin_in("disks", number, "serial", reason)};
}

static struct origin origin_of_bootindex(const struct drive *drive) {
    return origin_in(
        "disks", drive->number, "boot_order",
        drive->disk->boot_order ? NULL : "default: the order of the list, CD-ROM drives last");
}

/* ---- all of them ---- */

static int check_drive(const struct plan *plan, const struct drive *drive,
                       const struct buses *buses, vqemu_error **error) {
    int r = check_bus(plan, drive, error);
    if (r == 0)
        r = check_image(drive, error);
    if (r == 0)
        r = plan_check_image(drive->disk, drive->number, error);
    return r == 0 ? check_room(plan, drive, buses, error) : r;
}

static int plan_drive(struct plan *plan, size_t number, struct buses *buses, vqemu_error **error) {
    const vqemu_disk *disk = plan->vm->disks.items[number];
    struct drive *drive = &plan->drives[number];
    *drive = (struct drive){.disk = disk,
                            .number = number,
                            .bus = plan_disk_bus(plan, number),
                            .serial = choose_serial(plan, disk, number),
                            .read_only = is_read_only(disk),
                            .has_medium = disk->file || has_descriptor(disk),
                            .bootindex = plan_disk_bootindex(plan, number)};
    int r = check_drive(plan, drive, buses, error);
    if (r < 0)
        return r;
    drive->bootindex_origin = origin_of_bootindex(drive);
    drive->adds_iothread = disk->iothread && !was_named_before(plan, drive, NULL);
    if (drive->has_medium)
        plan_images(plan, drive);
    plan_attachment(plan, drive, buses);
    return 0;
}

int plan_disks(struct plan *plan, vqemu_error **error) {
    size_t count = plan->vm->disks.count;
    struct buses buses = {0};
    int r = plan_check_boot_order(plan, error);
    if (r == 0)
        r = plan_check_layer_count(plan->vm, error);
    plan->drives = arena_add(&plan->texts, count * sizeof *plan->drives);
    plan->controllers = arena_add(&plan->texts, count * sizeof *plan->controllers);
    if (r == 0 && plan->texts.failed)
        return error_no_memory(error);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = plan_drive(plan, i, &buses, error);
    return r;
}
