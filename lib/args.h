/* SPDX-License-Identifier: MIT */
/*
 * QEMU's arguments, as they are being made of a runtime and a VM. The machine is chosen first;
 * devices read its rows. Each args_add_*() adds the arguments of one noun, and what they use of the
 * host. Allocation failure is remembered in argv and resources.
 */
#ifndef LIB_ARGS_H
#define LIB_ARGS_H

#include <stdbool.h>

#include "arch.h"
#include "disk.h"
#include "firmware.h"
#include "identity.h"
#include "nic.h"
#include "resources.h"
#include "runtime.h"
#include "share.h"
#include "util/strbuf.h"
#include "util/strv.h"
#include "vm.h"

struct args {
    const vqemu_runtime *runtime;
    const vqemu_profile *profile;
    const vqemu_vm *vm;
    bool for_unit; /* a service: with QMP sockets of its own */

    const struct arch *arch;
    const struct machine *machine;
    const char *machine_name;
    const char *guest_os;
    bool kvm, uefi, shared_memory;

    char id[IDENTITY_ID_MAX + 1];
    char *state_dir, *runtime_dir;
    char *nvram, *stop_socket;
    struct firmware firmware; /* of a UEFI guest */

    struct strv argv;
    struct strv claims; /* see args_claim() */
    struct resources resources;
};

/* Choose machine, firmware and directories; nothing is added yet. */
int args_plan(struct args *args, vqemu_error **error);
void args_release(struct args *args);

/* What the profile must have for a key of the VM; otherwise the error tells which has. */
int args_require(const struct args *args, enum vqemu_ability ability, const char *key,
                 vqemu_error **error);
/* The machine of this architecture has no such thing. */
int args_unsupported(const struct args *args, const char *key, const char *what,
                     vqemu_error **error);

/* ---- one noun each ---- */

void args_add_machine(struct args *args); /* args-machine.c, as the next four */
void args_add_memory(struct args *args);
int args_check_machine(const struct args *args, vqemu_error **error);
void args_add_cpus(struct args *args);
void args_add_sandbox(struct args *args);
void args_add_firmware(struct args *args); /* args-firmware.c */
int args_plan_firmware(struct args *args, vqemu_error **error);
int args_add_disks(struct args *args, vqemu_error **error);   /* args-disk.c */
int args_add_shares(struct args *args, vqemu_error **error);  /* args-share.c */
int args_add_nics(struct args *args, vqemu_error **error);    /* args-nic.c */
int args_add_console(struct args *args, vqemu_error **error); /* args-console.c */
int args_add_control(struct args *args, vqemu_error **error);
int args_add_display(struct args *args, vqemu_error **error); /* args-display.c */
int args_add_devices(struct args *args, vqemu_error **error); /* args-device.c */

/* Give each PCI device its slot, when all are there (args-slot.c). */
int args_place_devices(struct args *args, vqemu_error **error);

/* Whether the VM has a share over virtiofs. */
bool args_has_virtiofs(const vqemu_vm *vm);
/* Whether a share's driver, which may be NULL, is that. */
bool args_is_virtiofs(const char *driver);

/* The guest's system. Only of Linux it is known that it has virtio drivers. */
bool args_is_windows(const struct args *args);
bool args_has_virtio_drivers(const struct args *args);

/* The place in the order of booting of disks, and behind them network devices, by a number below
 * the count of both; 0 if it has none. */
uint64_t args_boot_order(const vqemu_vm *vm, size_t index);

/* ---- what only one can have (args-claim.c) ---- */

/* The key of the VM takes something: the path of a socket, "TAP device tap0". */
void args_claim(struct args *args, const char *key, const char *what);
/* A descriptor, which is listed among the resources as well. */
void args_claim_descriptor(struct args *args, const char *key, uint64_t fd);
/* When all is claimed: whether something was twice. */
int args_check_claims(const struct args *args, vqemu_error **error);

/* ---- making options ---- */

void args_option(struct args *args, const char *option, const char *value);
/* Takes the buffer's text over. */
void args_option_buffer(struct args *args, const char *option, struct strbuf *value);

/* Begin a virtio device on the machine's bus: "virtio-blk-pci,id=disk0". number < 0 for none. */
void args_virtio(const struct args *args, struct strbuf *device, const char *kind, const char *id,
                 int number);

/* "socket,id=...,path=...,server=on,wait=off", as an argument of -chardev. */
void args_listen(struct args *args, const char *id, const char *key, const char *path);

/* The same of a socket on which another program listens: "socket,id=...,path=...". */
void args_connect(struct args *args, const char *id, const char *key, const char *path);

/* A path of the VM's own, or the default in a directory; NULL without memory. */
char *args_path_or(const char *path, const char *directory, const char *name);

#endif
