/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

static struct origin origin_of(const struct drive *drive, const char *key) {
    return origin_in("disks", drive->position, key, NULL);
}

static bool is_cdrom(const struct drive *drive) {
    return is_on(drive->disk->cdrom);
}

/* The number of its place on a bus that is none of the machine's. */
static unsigned unit_of(const struct drive *drive) {
    return drive->device.place.unit;
}

static void from_place(struct options *options, const struct drive *drive) {
    option_from(options, place_origin(options, &drive->device.place));
}

static void iothread_setting(struct options *options, const struct drive *drive) {
    if (!drive->disk->iothread)
        return;
    option_textf(options, "iothread", "iothread-%s", drive->disk->iothread);
    option_from(options, origin_of(drive, "iothread"));
}

/* ---- what comes before the drive ---- */

static void iothread_options(struct options *options, const struct drive *drive) {
    if (!drive->adds_iothread)
        return;
    option_begin(options, OPTION_OBJECT, "iothread", origin_of(drive, "iothread"));
    option_textf(options, "id", "iothread-%s", drive->disk->iothread);
}

static void controller_options(const struct plan *plan, struct options *options,
                               const struct drive *drive) {
    if (!drive->controller)
        return;
    virtio_begin(plan, options, "virtio-scsi", &drive->controller->device, drive->bus.origin);
    iothread_setting(options, drive);
    device_place(options, &drive->controller->device);
}

static void sata_options(struct options *options, const struct drive *drive) {
    if (!drive->adds_sata)
        return;
    device_begin(options, "ich9-ahci", &drive->sata, drive->bus.origin);
    device_place(options, &drive->sata);
}

/* A CD-ROM drive is a SCSI drive behind a bridge: usb-storage would make a disk of it. */
static void usb_bridge_options(struct options *options, const struct drive *drive) {
    option_begin(options, OPTION_DEVICE, "usb-bot", drive->bus.origin);
    option_textf(options, "id", "usb-drive%d", drive->device.number);
    option_text(options, "bus", "usb.0");
    option_number(options, "port", unit_of(drive));
    from_place(options, drive);
}

/* ---- the drive on its bus ---- */

static void begin_scsi(struct options *options, const struct drive *drive) {
    const char *iothread = drive->disk->iothread;
    device_begin(options, is_cdrom(drive) ? "scsi-cd" : "scsi-hd", &drive->device,
                 drive->bus.origin);
    option_textf(options, "bus", "scsi%s%s.0", iothread ? "-" : "", iothread ? iothread : "");
    option_number(options, "scsi-id", unit_of(drive));
    from_place(options, drive);
}

static void begin_ide(const struct plan *plan, struct options *options, const struct drive *drive) {
    bool has_pairs = plan->machine->ide == IDE_BUILT_IN;
    device_begin(options, is_cdrom(drive) ? "ide-cd" : "ide-hd", &drive->device, drive->bus.origin);
    option_textf(options, "bus", "ide.%u", has_pairs ? unit_of(drive) / 2 : unit_of(drive));
    from_place(options, drive);
    if (has_pairs) {
        option_number(options, "unit", unit_of(drive) % 2);
        from_place(options, drive);
    }
}

static void begin_usb(struct options *options, const struct drive *drive) {
    device_begin(options, is_cdrom(drive) ? "scsi-cd" : "usb-storage", &drive->device,
                 drive->bus.origin);
    if (is_cdrom(drive)) {
        option_textf(options, "bus", "usb-drive%d.0", drive->device.number);
        return;
    }
    option_text(options, "bus", "usb.0");
    option_number(options, "port", unit_of(drive));
    from_place(options, drive);
}

static void begin_drive(const struct plan *plan, struct options *options,
                        const struct drive *drive) {
    const char *bus = drive->bus.value;
    if (is_chosen(bus, "scsi")) {
        controller_options(plan, options, drive);
        begin_scsi(options, drive);
    } else if (is_chosen(bus, "ide")) {
        sata_options(options, drive);
        begin_ide(plan, options, drive);
    } else if (is_chosen(bus, "usb")) {
        if (is_cdrom(drive))
            usb_bridge_options(options, drive);
        begin_usb(options, drive);
    } else if (is_chosen(bus, "nvme")) {
        device_begin(options, "nvme", &drive->device, drive->bus.origin);
    } else {
        virtio_begin(plan, options, "virtio-blk", &drive->device, drive->bus.origin);
        iothread_setting(options, drive);
    }
}

/* ---- what every drive has ---- */

static void identity_settings(struct options *options, const struct drive *drive) {
    option_text(options, "serial", drive->serial.value);
    option_from(options, drive->serial.origin);
    if (drive->device_id.value) {
        option_text(options, "device_id", drive->device_id.value);
        option_from(options, drive->device_id.origin);
    }
}

static void drive_options(const struct plan *plan, struct options *options,
                          const struct drive *drive) {
    for (size_t i = 0; i < drive->image_count; i++)
        image_options(options, &drive->images[i]);
    iothread_options(options, drive);
    begin_drive(plan, options, drive);
    if (drive->has_medium) {
        option_textf(options, "drive", "disk%d", drive->device.number);
        option_from(options, origin_of(drive, NULL));
    }
    if (drive->caching.writes_through) {
        option_switch(options, "write-cache", false);
        option_from(options, drive->caching.origin);
    }
    identity_settings(options, drive);
    if (drive->bootindex) {
        option_number(options, "bootindex", drive->bootindex);
        option_from(options, drive->bootindex_origin);
    }
    device_place(options, &drive->device);
}

void disk_options(const struct plan *plan, struct options *options) {
    for (size_t i = 0; i < plan->vm->disks.count; i++)
        drive_options(plan, options, &plan->drives[i]);
}
