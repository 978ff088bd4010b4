/* SPDX-License-Identifier: MIT */
/*
 * Each noun of a plan as options: option-<noun>.c. They say what was decided, with its origins,
 * and decide nothing. option-plan.c puts them in order, which is fixed: the same VM always gives
 * the same command.
 */
#ifndef LIB_OPTION_NOUNS_H
#define LIB_OPTION_NOUNS_H

#include "command/option.h"
#include "command/plan.h"

/* All of a plan, which is whole. */
void plan_add_options(const struct plan *plan, struct options *options);

void identity_options(const struct plan *plan, struct options *options);
void confinement_options(const struct plan *plan, struct options *options); /* option-machine.c */
void machine_options(const struct plan *plan, struct options *options);
void cpu_options(const struct plan *plan, struct options *options);
void memory_options(const struct plan *plan, struct options *options);
void clock_options(const struct plan *plan, struct options *options); /* option-machine.c */
void boot_options(const struct plan *plan, struct options *options);
void kernel_options(const struct plan *plan, struct options *options); /* option-boot.c */
void firmware_options(const struct plan *plan, struct options *options);
void display_options(const struct plan *plan, struct options *options);
void usb_options(const struct plan *plan, struct options *options);
void console_options(const struct plan *plan, struct options *options);
void control_options(const struct plan *plan, struct options *options);
void disk_options(const struct plan *plan, struct options *options);
void share_options(const struct plan *plan, struct options *options);
void nic_options(const struct plan *plan, struct options *options);
void extra_options(const struct plan *plan, struct options *options);
void port_options(const struct plan *plan, struct options *options); /* option-place.c */

/* ---- what nouns have in common ---- */

/* The block nodes of an image; those that it names must be there. */
void image_options(struct options *options, const struct image *image);

/* A device begins with its model and its id, and ends with its place. */
void device_begin(struct options *options, const char *model, const struct device *device,
                  struct origin origin);
void device_place(struct options *options, const struct device *device);
/* Of a setting that says where a device is. */
struct origin place_origin(struct options *options, const struct place *place);
/* "virtio-blk" on the machine's bus: "virtio-blk-pci". */
void virtio_begin(const struct plan *plan, struct options *options, const char *kind,
                  const struct device *device, struct origin origin);
/* Only what other devices stand behind, before them. */
void bridge_options(const struct plan *plan, struct options *options);

/* A character device of a Unix socket, on which QEMU listens, or another program does. */
void listening_options(struct options *options, const char *id, const struct choice *path);
void connecting_options(struct options *options, const char *id, const struct choice *path);

#endif
