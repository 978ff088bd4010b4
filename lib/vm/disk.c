/* SPDX-License-Identifier: MIT */
#include "vm/disk.h"

#include "util/export.h"

static const struct property properties[] = {
    {
        .key = "file",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_disk, file),
        .meaning = "Image file, or block device.",
    },
    {
        .key = "fd",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_disk, fd),
        .minimum = 3,
        .maximum = 2147483647,
        .meaning = "Descriptor of the image, which the caller passes on to QEMU.",
    },
    {
        .key = "format",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_disk, format),
        .choices = (const char *const[]){"raw", "qcow2", NULL},
        .meaning = "Format of the image; it is never guessed. Default: raw.",
    },
    {
        .key = "bus",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_disk, bus),
        .choices = (const char *const[]){"virtio", "scsi", "nvme", "ide", NULL},
        .meaning = "What the disk is attached to. Default: virtio, or for Windows and other "
                   "systems what they have drivers for.",
    },
    {
        .key = "cdrom",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_disk, cdrom),
        .meaning = "A CD-ROM drive: always read-only.",
    },
    {
        .key = "read_only",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_disk, read_only),
        .meaning = "Whether the guest can only read. Default: no, but for CD-ROMs.",
    },
    {
        .key = "block_device",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_disk, block_device),
        .meaning = "Whether the file is a block device of the host. Default: where its path begins "
                   "with /dev/.",
    },
    {
        .key = "cache",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_disk, cache),
        .choices = (const char *const[]){"writeback", "none", "writethrough", "directsync",
                                         "unsafe", NULL},
        .meaning = "How writes are cached (QEMU: -drive cache=). Default: writeback.",
    },
    {
        .key = "aio",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_disk, aio),
        .choices = (const char *const[]){"threads", "native", "io_uring", NULL},
        .meaning =
            "How the host is asked for input and output (QEMU: -drive aio=). Default: threads.",
    },
    {
        .key = "discard",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_disk, discard),
        .meaning = "Whether what the guest discards is given back to the host. Default: no.",
    },
    {
        .key = "serial",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_disk, serial),
        .maximum = 36,
        .meaning = "Serial number that the guest sees: up to 20 bytes, with bus scsi 36.",
    },
    {
        .key = "boot_order",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_disk, boot_order),
        .minimum = 1,
        .maximum = 1000,
        .meaning = "Place in the order of booting, from 1.",
    },
    {
        .key = "iothread",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_disk, iothread),
        .pattern = "^[A-Za-z][A-Za-z0-9._-]{0,62}$",
        .wanted = "a name of letters, digits, \"-\", \"_\" and \".\" that begins with a letter",
        .meaning =
            "Name of an I/O thread that serves the disk; disks with the same name share one.",
    },
};

const struct object_type disk_type = {"disk", sizeof(vqemu_disk), properties,
                                      sizeof properties / sizeof *properties};

VQEMU_EXPORT int vqemu_disk_set_file(vqemu_disk *disk, const char *path, vqemu_error **error) {
    return object_set_string(&disk_type, disk, "file", path, error);
}

VQEMU_EXPORT int vqemu_disk_set_fd(vqemu_disk *disk, int fd, vqemu_error **error) {
    return object_set_descriptor(&disk_type, disk, "fd", fd, error);
}

VQEMU_EXPORT int vqemu_disk_set_format(vqemu_disk *disk, const char *format, vqemu_error **error) {
    return object_set_string(&disk_type, disk, "format", format, error);
}

VQEMU_EXPORT int vqemu_disk_set_bus(vqemu_disk *disk, const char *bus, vqemu_error **error) {
    return object_set_string(&disk_type, disk, "bus", bus, error);
}

VQEMU_EXPORT void vqemu_disk_set_cdrom(vqemu_disk *disk, bool on) {
    disk->cdrom = toggle(on);
}

VQEMU_EXPORT void vqemu_disk_set_read_only(vqemu_disk *disk, bool on) {
    disk->read_only = toggle(on);
}

VQEMU_EXPORT void vqemu_disk_set_block_device(vqemu_disk *disk, bool on) {
    disk->block_device = toggle(on);
}

VQEMU_EXPORT int vqemu_disk_set_cache(vqemu_disk *disk, const char *mode, vqemu_error **error) {
    return object_set_string(&disk_type, disk, "cache", mode, error);
}

VQEMU_EXPORT int vqemu_disk_set_aio(vqemu_disk *disk, const char *mode, vqemu_error **error) {
    return object_set_string(&disk_type, disk, "aio", mode, error);
}

VQEMU_EXPORT void vqemu_disk_set_discard(vqemu_disk *disk, bool on) {
    disk->discard = toggle(on);
}

VQEMU_EXPORT int vqemu_disk_set_serial(vqemu_disk *disk, const char *serial, vqemu_error **error) {
    return object_set_string(&disk_type, disk, "serial", serial, error);
}

VQEMU_EXPORT int vqemu_disk_set_boot_order(vqemu_disk *disk, uint32_t order, vqemu_error **error) {
    return object_set_number(&disk_type, disk, "boot_order", order, error);
}

VQEMU_EXPORT int vqemu_disk_set_iothread(vqemu_disk *disk, const char *name, vqemu_error **error) {
    return object_set_string(&disk_type, disk, "iothread", name, error);
}
