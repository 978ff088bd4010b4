/* SPDX-License-Identifier: MIT */
/* What a disk has its content from: its image, and the layers below that the VM names. */
#ifndef LIB_PLAN_IMAGE_H
#define LIB_PLAN_IMAGE_H

#include "command/plan.h"

/* Of all disks: they have LIST_MAX layers at most, as one has. */
int plan_check_layer_count(const vqemu_vm *vm, vqemu_error **error);

/* Of the disk with a number. Whether it has a medium at all is its own affair. */
int plan_check_image(const vqemu_disk *disk, size_t number, vqemu_error **error);

/* Of a drive with a medium: its images, of which the device names "disk<number>"; and what they
 * use. */
void plan_images(struct plan *plan, struct drive *drive);

#endif
