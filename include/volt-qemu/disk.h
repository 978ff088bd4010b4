/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_DISK_H
#define VOLT_QEMU_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A disk or CD-ROM drive of a VM, made by vqemu_vm_add_disk(). It belongs to its VM, and is used by
 * one thread at a time, like that. Since 1.0.
 */
typedef struct vqemu_disk vqemu_disk;

/**
 * Set the image file, block device, or host CD-ROM drive. An absolute path; NULL for none, which
 * only a CD-ROM drive without a medium, or a disk with a descriptor, can have. Errors:
 * VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_disk_set_file(vqemu_disk *disk, const char *path, vqemu_error **error);

/**
 * Take the image from a descriptor that the caller has opened and passes on to QEMU, instead of a
 * path: 3 or more; -1 for none. It must be open for exactly what the disk does: for reading and
 * writing, or, if the disk is read-only or a CD-ROM, only for reading. See vqemu_command_fd().
 * Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_disk_set_fd(vqemu_disk *disk, int fd, vqemu_error **error);

/**
 * Set the format of the image: "raw" (the default) or "qcow2". It is never guessed, since a guest
 * could write another format's header into a raw image. Errors: VQEMU_ERR_INVALID. Since 1.0.
 *
 * A qcow2 image can name other files of the host, which QEMU opens with its own rights: a backing
 * file, and a data file, which it writes to. Look at an image of somebody else's with
 * "qemu-img info" first, or convert it to raw where it can do no harm.
 */
int vqemu_disk_set_format(vqemu_disk *disk, const char *format, vqemu_error **error);

/**
 * Set what the disk is attached to: "virtio" (virtio-blk), "scsi" (virtio-scsi), "nvme", or "ide"
 * (IDE or SATA, whatever the machine has). NULL means virtio for Linux; for Windows and other
 * systems ide where the machine has it. CD-ROMs are ide where the machine has it, else scsi.
 * Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_disk_set_bus(vqemu_disk *disk, const char *bus, vqemu_error **error);

/**
 * Make it a CD-ROM drive, which is always read-only. Since 1.0.
 */
void vqemu_disk_set_cdrom(vqemu_disk *disk, bool on);

/**
 * Let the guest only read (QEMU: read-only=on; libvirt: <readonly/>). Since 1.0.
 */
void vqemu_disk_set_read_only(vqemu_disk *disk, bool on);

/**
 * Say whether the path is a block device of the host. By default one that begins with "/dev/" is.
 * Since 1.0.
 */
void vqemu_disk_set_block_device(vqemu_disk *disk, bool on);

/**
 * Set the cache mode (QEMU: -drive cache=). Errors: VQEMU_ERR_INVALID. Since 1.0.
 *
 * - "writeback" (the default): in the host's page cache; on disk when the guest flushes.
 * - "none": past the host's page cache (O_DIRECT), for images that move to another host.
 * - "writethrough": each write is on disk before it ends, for guests that never flush; slow.
 * - "directsync": both of these.
 * - "unsafe": flushes are ignored; the image is lost with the host. For what can be made again.
 */
int vqemu_disk_set_cache(vqemu_disk *disk, const char *mode, vqemu_error **error);

/**
 * Set how QEMU does input and output (QEMU: -drive aio=). Errors: VQEMU_ERR_INVALID. Since 1.0.
 *
 * - "threads" (the default): a pool of threads; with every file system and cache mode.
 * - "native": Linux AIO; less work for the CPU; needs cache none or directsync.
 * - "io_uring": the kernel's newer queue, with every cache mode; needs a kernel and a seccomp
 *   policy that allow it.
 */
int vqemu_disk_set_aio(vqemu_disk *disk, const char *mode, vqemu_error **error);

/**
 * Give back to the host's file system what the guest discards (QEMU: discard=unmap). Since 1.0.
 */
void vqemu_disk_set_discard(vqemu_disk *disk, bool on);

/**
 * Set the serial number that the guest sees: up to 20 bytes, with bus scsi 36. NULL means none, or
 * for nvme, which needs one, "disk" and the number of the disk. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_disk_set_serial(vqemu_disk *disk, const char *serial, vqemu_error **error);

/**
 * Set the place in the order of booting, from 1; 0 for none. Two devices cannot have the same.
 * Errors: VQEMU_ERR_INVALID. Since 1.0.
 */
int vqemu_disk_set_boot_order(vqemu_disk *disk, uint32_t order, vqemu_error **error);

/**
 * Let a thread of its own serve the disk; disks with the same name share one. Only for bus virtio
 * and scsi. NULL for QEMU's main thread. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_NO_MEMORY. Since
 * 1.0.
 */
int vqemu_disk_set_iothread(vqemu_disk *disk, const char *name, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
