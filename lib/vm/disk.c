/* SPDX-License-Identifier: MIT */
#include "vm/disk.h"

/* "raw" is what has no layers (command/plan-image.c). */
static const char *const formats[] = {"raw", "qcow2", NULL};

static const struct property layer_properties[] = {
    {
        .key = "file",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(struct layer, file),
        .meaning = "Image file or block device of the host. Only a layer with a descriptor has "
                   "none.",
    },
    {
        .key = "fd",
        .reach = REACH_DESCRIPTOR,
        .is_descriptor = true,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(struct layer, fd),
        .minimum = 3,
        .maximum = 2147483647,
        .meaning = "Descriptor of the image, which the caller has opened only for reading and "
                   "passes on to QEMU, instead of a file: 3 or more.",
    },
    {
        .key = "fd_name",
        .reach = REACH_DESCRIPTOR,
        .kind = PROPERTY_STRING,
        .offset = offsetof(struct layer, fd_name),
        .pattern = DESCRIPTOR_NAME_PATTERN,
        .wanted = DESCRIPTOR_NAME_WANTED,
        .meaning = "Name of such a descriptor, instead of its number: the command numbers it for "
                   "the process that becomes QEMU.",
    },
    {
        .key = "format",
        .reach = REACH_RULE,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(struct layer, format),
        .choices = formats,
        .meaning = "Format of the layer, raw (the default) or qcow2. A raw one has none below it.",
    },
    {
        .key = "data_file",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(struct layer, data_file),
        .meaning = "File with the layer's content, if it is a qcow2 image with an external data "
                   "file. Default: none.",
    },
    {
        .key = "block_device",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(struct layer, block_device),
        .meaning = "Whether the file is a block device of the host. Default: where its path begins "
                   "with /dev/.",
    },
};

const struct object_type layer_type = {"layer", sizeof(struct layer), layer_properties,
                                       sizeof layer_properties / sizeof *layer_properties};

static const struct property properties[] = {
    {
        .key = "id",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_disk, id),
        .pattern = DEVICE_ID_PATTERN,
        .wanted = DEVICE_ID_WANTED,
        .meaning = DEVICE_ID_MEANING,
    },
    {
        .key = "file",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_disk, file),
        .meaning = "Image file, block device, or CD-ROM drive of the host. Only a CD-ROM drive "
                   "without a medium, or a disk with a descriptor, has none.",
    },
    {
        .key = "fd",
        .reach = REACH_DESCRIPTOR,
        .is_descriptor = true,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_disk, fd),
        .minimum = 3,
        .maximum = 2147483647,
        .meaning =
            "Descriptor of the image, which the caller has opened and passes on to QEMU, "
            "instead of a file: 3 or more. It must be open for exactly what the disk does: for "
            "reading and writing, or, if the disk is read-only or a CD-ROM, only for reading.",
    },
    {
        .key = "fd_name",
        .reach = REACH_DESCRIPTOR,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_disk, fd_name),
        .pattern = DESCRIPTOR_NAME_PATTERN,
        .wanted = DESCRIPTOR_NAME_WANTED,
        .meaning = "Name of such a descriptor, instead of its number: the command numbers it for "
                   "the process that becomes QEMU.",
    },
    {
        .key = "format",
        .reach = REACH_RULE,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_disk, format),
        .choices = formats,
        .meaning = "Format of the image, raw (the default) or qcow2. It is never guessed, since a "
                   "guest could write another format's header into a raw image.",
    },
    {
        .key = "backing",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_disk, backing),
        .element = &layer_type,
        .meaning = "Layers below a qcow2 image, which have what it does not: its backing file, the "
                   "backing file of that, and so on, each with its format; QEMU only reads them. A "
                   "backing file that only the image's header names is not opened, and preparing "
                   "refuses such an image. Default: none.",
    },
    {
        .key = "data_file",
        .reach = REACH_FILE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_disk, data_file),
        .meaning =
            "File with the content of a qcow2 image that has an external data file. Without it, "
            "QEMU opens the file that the image's header names, and writes to it: preparing "
            "refuses such an image. Default: none.",
    },
    {
        .key = "bus",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_disk, bus),
        .choices = (const char *const[]){"virtio", "scsi", "nvme", "ide", "usb", NULL},
        .meaning =
            "What the disk is attached to: virtio (virtio-blk), scsi (virtio-scsi), nvme, ide (IDE "
            "or SATA, whatever the machine has), or usb. Default: virtio for Linux; for Windows "
            "and other systems ide where the machine has it, and nvme on Arm. CD-ROM drives are on "
            "ide where the machine has it, on Arm for Windows and other systems on usb, else on "
            "scsi.",
    },
    {
        .key = "cdrom",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_disk, cdrom),
        .meaning = "A CD-ROM drive, which is always read-only. Default: no.",
    },
    {
        .key = "read_only",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_disk, read_only),
        .meaning =
            "Whether the guest can only read (QEMU: read-only=on). Default: no, but for CD-ROM "
            "drives.",
    },
    {
        .key = "block_device",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_disk, block_device),
        .meaning = "Whether the file is a block device of the host. Default: where its path begins "
                   "with /dev/.",
    },
    {
        .key = "cache",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_disk, cache),
        .choices = (const char *const[]){"writeback", "none", "writethrough", "directsync",
                                         "unsafe", NULL},
        .meaning =
            "How writes are cached (QEMU: -drive cache=). writeback (the default): in the "
            "host's page cache; on disk when the guest flushes. none: past the host's page "
            "cache (O_DIRECT), for images that move to another host. writethrough: each write "
            "is on disk before it ends, for guests that never flush; slow. directsync: both of "
            "these. unsafe: flushes are ignored, and the image is lost with the host; for what "
            "can be made again.",
    },
    {
        .key = "aio",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_disk, aio),
        .choices = (const char *const[]){"threads", "native", "io_uring", NULL},
        .meaning =
            "How QEMU does input and output (QEMU: -drive aio=). threads (the default): a pool "
            "of threads; with every file system and cache mode. native: Linux AIO; less work "
            "for the CPU; needs cache none or directsync. io_uring: the kernel's newer queue, "
            "with every cache mode; needs a kernel and a seccomp policy that allow it.",
    },
    {
        .key = "discard",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_disk, discard),
        .meaning = "Whether what the guest discards is given back to the host's file system (QEMU: "
                   "discard=unmap). Default: no.",
    },
    {
        .key = "serial",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_disk, serial),
        .maximum = 36,
        .meaning =
            "Serial number that the guest sees, and with bus scsi the id of the device as well: "
            "up to 20 bytes, with bus scsi 36. Default: disk and the number of the disk.",
    },
    {
        .key = "boot_order",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_disk, boot_order),
        .minimum = 1,
        .maximum = 1000,
        .meaning =
            "Place in the order of booting, from 1, among disks and nics; two devices cannot "
            "have the same, and what has no place is not booted. Default, where no device has one "
            "and there is no kernel: the disks in the order of the list, and behind them the "
            "CD-ROM drives.",
    },
    {
        .key = "iothread",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_disk, iothread),
        .pattern = "^[A-Za-z][A-Za-z0-9._-]{0,62}$",
        .wanted = "a name of letters, digits, \"-\", \"_\" and \".\" that begins with a letter",
        .meaning =
            "Name of an I/O thread that serves the disk; disks with the same name share one. "
            "Only for bus virtio and scsi. Default: QEMU's main thread.",
    },
};

const struct object_type disk_type = {"disk", sizeof(vqemu_disk), properties,
                                      sizeof properties / sizeof *properties};
