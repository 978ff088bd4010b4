/* SPDX-License-Identifier: MIT */
/*
 * Each noun's part of a plan, in the order in which plan-make.c asks for them: what it needs of
 * others is decided before. Checks are made here, and what is used of the host is noted.
 */
#ifndef LIB_PLAN_NOUNS_H
#define LIB_PLAN_NOUNS_H

#include "command/plan.h"

void plan_identity(struct plan *plan); /* plan-identity.c */
/* Which machine, of what accelerator. */
int plan_machine(struct plan *plan, vqemu_error **error); /* plan-machine.c */
int plan_memory(struct plan *plan, vqemu_error **error);  /* plan-memory.c */
int plan_cpus(struct plan *plan, vqemu_error **error);    /* plan-cpu.c */
/* Sleep states, clock and confinement. */
int plan_board(struct plan *plan, vqemu_error **error);    /* plan-machine.c */
int plan_firmware(struct plan *plan, vqemu_error **error); /* plan-firmware.c */
/* What the parts above use of the host. */
void plan_use_identity(struct plan *plan);
void plan_use_machine(struct plan *plan);
void plan_use_firmware(struct plan *plan);
void plan_boot(struct plan *plan);                        /* plan-boot.c */
int plan_display(struct plan *plan, vqemu_error **error); /* plan-display.c */
int plan_usb(struct plan *plan, vqemu_error **error);     /* plan-usb.c */
int plan_console(struct plan *plan, vqemu_error **error); /* plan-console.c */
int plan_control(struct plan *plan, vqemu_error **error); /* plan-control.c */
int plan_disks(struct plan *plan, vqemu_error **error);   /* plan-disk.c */
/* USB ports for tablet and keyboard, of those that disks leave. */
int plan_inputs(struct plan *plan, vqemu_error **error); /* plan-usb.c */
int plan_shares(struct plan *plan, vqemu_error **error); /* plan-share.c */
int plan_nics(struct plan *plan, vqemu_error **error);   /* plan-nic.c */
/* TPM, watchdog, entropy, memory balloon, virtio sockets. */
int plan_extras(struct plan *plan, vqemu_error **error); /* plan-extra.c */
/* The VM's own arguments: whether they can be given, and what of the VM's files and sockets they
 * take. */
int plan_check_arguments(struct plan *plan, vqemu_error **error); /* plan-argument.c */
int plan_check_bootable(const struct plan *plan, vqemu_error **error);
void plan_use_kernel(struct plan *plan);

/* ---- what some nouns ask of others ---- */

int plan_check_boot_order(const struct plan *plan, vqemu_error **error);
/* The place of a disk in the order of booting, from 1; 0 if it has none. */
uint64_t plan_disk_bootindex(const struct plan *plan, size_t number);

/* The bus of a disk, which the VM names or not. */
struct choice plan_disk_bus(const struct plan *plan, size_t number);
/* The number of disks if none is on USB. */
size_t plan_first_usb_disk(const struct plan *plan);

/* Ports of the USB controller: each of USB 2 and 3. As many as an xHCI of QEMU's can have. */
#define USB_PORTS 15
#define USB_TABLET_PORT 1
#define USB_KEYBOARD_PORT 2
#define USB_FIRST_DISK_PORT 3

/* A socket on which QEMU listens, or another program does: it is the key's alone. */
void plan_listen(struct plan *plan, const char *key, const char *path);
void plan_connect(struct plan *plan, const char *key, const char *path);

#endif
