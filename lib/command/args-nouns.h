/* SPDX-License-Identifier: MIT */
/*
 * Each args_add_*() adds the arguments of one noun, and what they use of the host. The machine is
 * chosen first (args-plan.h); devices read its rows.
 */
#ifndef LIB_ARGS_NOUNS_H
#define LIB_ARGS_NOUNS_H

#include "command/args.h"

void args_add_machine(struct args *args); /* args-machine.c, as the next four */
void args_add_sleep(struct args *args);
void args_add_memory(struct args *args);
int args_check_machine(const struct args *args, vqemu_error **error);
void args_add_sandbox(struct args *args);
int args_check_cpus(const struct args *args, vqemu_error **error); /* args-cpu.c */
void args_add_cpus(struct args *args);
void args_add_firmware(struct args *args); /* args-firmware.c */
int args_plan_firmware(struct args *args, vqemu_error **error);
int args_check_boot_order(const struct args *args, vqemu_error **error); /* args-boot.c */
int args_check_bootable(const struct args *args, vqemu_error **error);
/* The place of a disk in the order of booting, from 1; 0 if it has none. */
uint64_t args_disk_bootindex(const struct args *args, size_t number);
void args_add_boot(struct args *args);
int args_add_disks(struct args *args, vqemu_error **error); /* args-disk.c */
/* The number of disks if none is on USB. */
size_t args_first_usb_disk(const struct args *args);
int args_add_shares(struct args *args, vqemu_error **error);  /* args-share.c */
int args_add_nics(struct args *args, vqemu_error **error);    /* args-nic.c */
int args_add_console(struct args *args, vqemu_error **error); /* args-console.c */
/* The file that the console goes to if the VM names none; NULL if it goes elsewhere. */
char *args_default_console_log(const struct args *args);
int args_add_control(struct args *args, vqemu_error **error);
int args_add_display(struct args *args, vqemu_error **error); /* args-display.c */
int args_add_devices(struct args *args, vqemu_error **error); /* args-device.c */

/* Ports of the USB controller: each of USB 2 and 3. As many as an xHCI of QEMU's can have. */
#define USB_PORTS 15
#define USB_TABLET_PORT 1
#define USB_KEYBOARD_PORT 2
#define USB_FIRST_DISK_PORT 3

/* The VM's own arguments: whether they can be given, and what of the VM's files and sockets they
 * take (args-extra.c). */
int args_check_extra(struct args *args, vqemu_error **error);

/* Give each PCI device its slot, when all are there (args-slot.c). */
int args_place_devices(struct args *args, vqemu_error **error);

/* After that, give devices the ids that the VM has for them (args-id.c). */
int args_give_ids(struct args *args, vqemu_error **error);

#endif
