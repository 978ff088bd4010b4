/* SPDX-License-Identifier: MIT */
/* What a disk has its content from: its image, and the layers below that the VM names. */
#ifndef LIB_DISK_IMAGE_H
#define LIB_DISK_IMAGE_H

#include "command/args.h"

/* Of all disks: they have LIST_MAX layers at most, as one has. */
int disk_image_check_count(const vqemu_vm *vm, vqemu_error **error);

/* Of the disk with a number. Whether it has a medium at all is its own affair. */
int disk_image_check(const vqemu_disk *disk, size_t number, vqemu_error **error);

/* The nodes, of which the device names "disk<number>"; and what they use. */
void disk_image_add(struct args *args, const vqemu_disk *disk, size_t number, bool read_only);

#endif
