/* SPDX-License-Identifier: MIT */
/* Disks and CD-ROM drives: a block node for each image, and a device on a bus of the machine. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/args-claim.h"
#include "command/args-nouns.h"
#include "command/disk-image.h"
#include "command/qemu-opt.h"
#include "vm/disk.h"

#define BLOCK_SERIAL_MAX 20 /* virtio-blk, IDE and NVMe have no more room */
#define SCSI_DISKS_MAX 256  /* targets of one controller */
#define USB_DISKS_MAX (USB_PORTS - USB_FIRST_DISK_PORT + 1)

/* One disk as it is being added, with its defaults filled in. */
struct drive {
    const vqemu_disk *disk;
    size_t number;
    const char *bus;
    bool read_only;
};

/* What disks have taken so far. */
struct buses {
    unsigned ide, scsi, usb;
};

static bool is(const char *choice, const char *value) {
    return choice && strcmp(choice, value) == 0;
}

static int disk_error(const struct drive *drive, const char *key, const char *text,
                      vqemu_error **error) {
    return args_refuse(error, VQEMU_ERR_INVALID, "disks[%zu].%s: %s", drive->number, key, text);
}

static bool is_read_only(const vqemu_disk *disk) {
    return is_on(disk->read_only) || is_on(disk->cdrom);
}

/* ---- checks ---- */

static bool has_plain_ide(const struct args *args) {
    return args->machine->ide == IDE_BUILT_IN || args->machine->ide == SATA_BUILT_IN;
}

static const char *plain_bus(const struct args *args, const vqemu_disk *disk) {
    const char *bus = is_on(disk->cdrom) ? args->machine->plain_cdrom : args->machine->plain_disk;
    return is(bus, "usb") && args->vm->usb == TOGGLE_OFF ? "ide" : bus;
}

static const char *default_bus(const struct args *args, const vqemu_disk *disk) {
    bool has_drivers = args_has_virtio_drivers(args), is_cdrom = is_on(disk->cdrom);
    if (is_cdrom && has_plain_ide(args))
        return "ide";
    if (!has_drivers && plain_bus(args, disk))
        return plain_bus(args, disk);
    return is_cdrom ? "scsi" : "virtio";
}

static const char *bus_of(const struct args *args, const vqemu_disk *disk) {
    return disk->bus ? disk->bus : default_bus(args, disk);
}

size_t args_first_usb_disk(const struct args *args) {
    size_t i = 0;
    while (i < args->vm->disks.count && !is(bus_of(args, args->vm->disks.items[i]), "usb"))
        i++;
    return i;
}

static int check_bus(const struct args *args, const struct drive *drive, vqemu_error **error) {
    const vqemu_disk *disk = drive->disk;
    char key[48];
    snprintf(key, sizeof key, "disks[%zu].bus", drive->number);
    if (is(drive->bus, "ide") && args->machine->ide == IDE_NONE)
        return args_unsupported(args, key, "IDE or SATA; it has virtio and scsi", error);
    if (is(drive->bus, "nvme") && !args->arch->msix)
        return args_unsupported(args, key, "MSI-X, which nvme needs; it has virtio and scsi",
                                error);
    if (is(drive->bus, "usb") && strcmp(args->arch->bus, "pci") != 0)
        return args_unsupported(args, key, "USB; it has virtio and scsi", error);
    if (is(drive->bus, "usb") && args->vm->usb == TOGGLE_OFF)
        return disk_error(drive, "bus", "a disk on usb needs \"usb\": true", error);
    if (is_on(disk->cdrom) && (is(drive->bus, "virtio") || is(drive->bus, "nvme")))
        return disk_error(drive, "bus", "a CD-ROM drive can be on ide, scsi or usb", error);
    if (is(drive->bus, "ide") && is_on(disk->read_only) && !is_on(disk->cdrom))
        return disk_error(drive, "read_only", "IDE and SATA disks cannot be; take another bus",
                          error);
    if (disk->iothread && !is(drive->bus, "virtio") && !is(drive->bus, "scsi"))
        return disk_error(drive, "iothread", "only disks on virtio and scsi can have one", error);
    if (disk->serial && strlen(disk->serial) > BLOCK_SERIAL_MAX && !is(drive->bus, "scsi"))
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

/* ---- the device ---- */

/* Whether an earlier disk has the same I/O thread, on the same bus if that is given. */
static bool was_named_before(const struct args *args, const struct drive *drive, const char *bus) {
    for (size_t i = 0; i < drive->number; i++) {
        const vqemu_disk *other = args->vm->disks.items[i];
        if (bus && !is(bus, bus_of(args, other)))
            continue;
        if (drive->disk->iothread ? is(other->iothread, drive->disk->iothread) : !other->iothread)
            return true;
    }
    return false;
}

static void add_iothread(struct args *args, const struct drive *drive) {
    if (!drive->disk->iothread || was_named_before(args, drive, NULL))
        return;
    strv_add(&args->argv, "-object");
    strv_addf(&args->argv, "iothread,id=iothread-%s", drive->disk->iothread);
}

/* SCSI disks of the same I/O thread, or of none, share a controller. */
static void add_scsi_controller(struct args *args, const struct drive *drive) {
    const char *iothread = drive->disk->iothread;
    if (was_named_before(args, drive, "scsi"))
        return;
    struct strbuf controller = {0};
    args_virtio(args, &controller, "virtio-scsi", iothread ? "scsi-" : "scsi", -1);
    if (iothread)
        strbuf_addf(&controller, "%s,iothread=iothread-%s", iothread, iothread);
    args_option_buffer(args, "-device", &controller);
}

static void begin_scsi(struct args *args, struct strbuf *device, const struct drive *drive,
                       struct buses *buses) {
    const char *iothread = drive->disk->iothread;
    add_scsi_controller(args, drive);
    strbuf_addf(device, "scsi-%s,id=drive%zu,bus=scsi%s%s.0,scsi-id=%u",
                is_on(drive->disk->cdrom) ? "cd" : "hd", drive->number, iothread ? "-" : "",
                iothread ? iothread : "", buses->scsi++);
}

static void begin_ide(struct args *args, struct strbuf *device, const struct drive *drive,
                      struct buses *buses) {
    unsigned place = buses->ide++;
    if (args->machine->ide == SATA_ADDED && place == 0)
        args_option(args, "-device", "ich9-ahci,id=ide");
    strbuf_addf(device, "ide-%s,id=drive%zu", is_on(drive->disk->cdrom) ? "cd" : "hd",
                drive->number);
    if (args->machine->ide == IDE_BUILT_IN)
        strbuf_addf(device, ",bus=ide.%u,unit=%u", place / 2, place % 2);
    else
        strbuf_addf(device, ",bus=ide.%u", place);
}

/* A CD-ROM drive is a SCSI drive behind a bridge: usb-storage would make a disk of it. */
static void begin_usb(struct args *args, struct strbuf *device, const struct drive *drive,
                      struct buses *buses) {
    unsigned port = USB_FIRST_DISK_PORT + buses->usb++;
    if (!is_on(drive->disk->cdrom)) {
        strbuf_addf(device, "usb-storage,id=drive%zu,bus=usb.0,port=%u", drive->number, port);
        return;
    }
    strv_add(&args->argv, "-device");
    strv_addf(&args->argv, "usb-bot,id=usb-drive%zu,bus=usb.0,port=%u", drive->number, port);
    strbuf_addf(device, "scsi-cd,id=drive%zu,bus=usb-drive%zu.0", drive->number, drive->number);
}

static void begin_virtio(struct args *args, struct strbuf *device, const struct drive *drive) {
    args_virtio(args, device, "virtio-blk", "drive", (int)drive->number);
    if (drive->disk->iothread)
        strbuf_addf(device, ",iothread=iothread-%s", drive->disk->iothread);
}

/* By what the guest knows the disk again, wherever it is attached. A SCSI disk has, besides a
 * serial number, an id, by which udev and multipath name it, and QEMU makes that of the name of a
 * backend of the old kind alone. */
static void add_identity(struct strbuf *device, const struct drive *drive) {
    char own[32];
    snprintf(own, sizeof own, "disk%zu", drive->number);
    const char *serial = drive->disk->serial ? drive->disk->serial : own;
    qemu_opt_add(device, "serial", serial);
    if (is(drive->bus, "scsi") || (is(drive->bus, "usb") && is_on(drive->disk->cdrom)))
        qemu_opt_add(device, "device_id", serial);
}

static void add_device(struct args *args, const struct drive *drive, struct buses *buses) {
    const vqemu_disk *disk = drive->disk;
    uint64_t bootindex = args_disk_bootindex(args, drive->number);
    struct strbuf device = {0};
    add_iothread(args, drive);
    if (is(drive->bus, "scsi"))
        begin_scsi(args, &device, drive, buses);
    else if (is(drive->bus, "ide"))
        begin_ide(args, &device, drive, buses);
    else if (is(drive->bus, "usb"))
        begin_usb(args, &device, drive, buses);
    else if (is(drive->bus, "nvme"))
        strbuf_addf(&device, "nvme,id=drive%zu", drive->number);
    else
        begin_virtio(args, &device, drive);
    if (disk->file || has_descriptor(disk))
        strbuf_addf(&device, ",drive=disk%zu", drive->number);
    if (is(disk->cache, "writethrough") || is(disk->cache, "directsync"))
        strbuf_add(&device, ",write-cache=off");
    add_identity(&device, drive);
    if (bootindex)
        strbuf_addf(&device, ",bootindex=%" PRIu64, bootindex);
    args_option_buffer(args, "-device", &device);
}

/* ---- all of them ---- */

static int check_room(const struct args *args, const struct drive *drive, const struct buses *buses,
                      vqemu_error **error) {
    unsigned ide_max = args->machine->ide == IDE_BUILT_IN ? 4 : 6;
    if (is(drive->bus, "ide") && buses->ide == ide_max)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "disks[%zu].bus: the machine %s has room for %u IDE or SATA drives",
                           drive->number, args->machine_name, ide_max);
    if (is(drive->bus, "scsi") && buses->scsi == SCSI_DISKS_MAX)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "disks[%zu].bus: there is room for %d SCSI drives", drive->number,
                           SCSI_DISKS_MAX);
    if (is(drive->bus, "usb") && buses->usb == USB_DISKS_MAX)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "disks[%zu].bus: there is room for %d USB drives", drive->number,
                           USB_DISKS_MAX);
    return 0;
}

int args_add_disks(struct args *args, vqemu_error **error) {
    struct buses buses = {0};
    int r = args_check_boot_order(args, error);
    if (r == 0)
        r = disk_image_check_count(args->vm, error);
    for (size_t i = 0; r == 0 && i < args->vm->disks.count; i++) {
        const vqemu_disk *disk = args->vm->disks.items[i];
        const struct drive drive = {disk, i, bus_of(args, disk), is_read_only(disk)};
        r = check_bus(args, &drive, error);
        if (r == 0)
            r = check_image(&drive, error);
        if (r == 0)
            r = disk_image_check(disk, i, error);
        if (r == 0)
            r = check_room(args, &drive, &buses, error);
        if (r < 0)
            return r;
        if (disk->file || has_descriptor(disk))
            disk_image_add(args, disk, i, drive.read_only);
        add_device(args, &drive, &buses);
    }
    return r;
}
