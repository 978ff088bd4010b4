/* SPDX-License-Identifier: MIT */
/*
 * What is decided of a command before a word of it is written: every default filled in, every
 * device placed, every check made. plan-<noun>.c decides, option-<noun>.c says it to QEMU, and
 * decides nothing.
 *
 * Texts are the VM's, static, or in the plan's own memory; allocation failure is remembered there,
 * in claims and resources.
 */
#ifndef LIB_PLAN_H
#define LIB_PLAN_H

#include <stdbool.h>

#include <volt-qemu/command.h>

#include "choice/arch.h"
#include "command/firmware.h"
#include "command/origin.h"
#include "command/resources.h"
#include "tree/runtime.h"
#include "util/arena.h"
#include "util/strv.h"
#include "vm/disk.h"
#include "vm/identity.h"
#include "vm/nic.h"
#include "vm/share.h"
#include "vm/vm.h"

/* A word that was chosen, and why. */
struct choice {
    const char *value;
    struct origin origin;
};

struct amount {
    uint64_t value;
    struct origin origin;
};

/* ---- devices and their places ---- */

enum place_kind {
    PLACE_OF_QEMU, /* as QEMU numbers them */
    PLACE_SLOT,
    PLACE_CHANNEL,
    PLACE_UNIT, /* of a bus that is none of the machine's: "scsi", "ide", "usb" */
};

struct place {
    enum place_kind kind;
    int bridge; /* -1: the machine's own bus */
    unsigned slot, function;
    bool multifunction;
    unsigned channel;
    const char *bus;
    unsigned unit; /* SCSI id, IDE drive or USB port */
    struct origin origin;
};

/* What has a place: "drive" 7. */
struct device {
    const char *noun;
    int number; /* of a list; -1: there is one of it */
    struct choice id;
    struct place place;
};

/* Whose elements are devices. */
enum device_list { LIST_OF_DISKS, LIST_OF_SHARES, LIST_OF_NICS, DEVICE_LIST_COUNT };

#define BRIDGE_MAX 4 /* functions 4 to 7 of one slot */

struct bridge_plan {
    bool is_used;
    struct place place;
};

/* A bus with numbered places, while it is being filled. */
struct numbered_bus {
    const char *name;
    unsigned first, end;
    const char **owners; /* by number: an id, or NULL */
};

/* ---- the nouns ---- */

struct identity_plan {
    char id[IDENTITY_ID_MAX + 1];
    const char *process;
    struct choice uuid;
    const char *state_dir, *runtime_dir, *pid_file;
};

struct machine_plan {
    const char *sleep; /* device whose sleep states are turned off; NULL for none */
    struct origin sleep_origin;
    bool sandbox, starts_programs;
    struct choice clock;
    bool catches_up; /* late ticks of the clock are delivered */
};

struct memory_plan {
    struct amount mib;
    bool has_backend;
    struct origin backend_origin, shared_origin;
};

struct cpu_plan {
    struct choice model;
    const char *settings; /* that belong to the model, as a table has them; NULL for none */
    uint64_t count, sockets, cores, threads;
    struct origin count_origin;
    bool hyperv;
    struct origin hyperv_origin;
};

struct firmware_plan {
    const char *nvram; /* path of the VM's variables */
    struct origin origin, nvram_origin;
    struct firmware files;
};

struct boot_plan {
    bool strict, reboot;
    struct origin strict_origin, reboot_origin;
    struct choice append; /* value: NULL without a kernel */
};

enum vnc_way { VNC_NONE, VNC_PORT, VNC_SOCKET };

struct display_plan {
    enum vnc_way vnc;
    struct choice socket;
    struct choice video;
    struct device device;
    bool drops_rom;
    bool virtio_input; /* a tablet and a keyboard on the machine's own bus, without USB */
    struct device tablet, keyboard;
};

struct usb_plan {
    bool controller, tablet, keyboard;
    struct origin controller_origin, tablet_origin;
    struct device device, tablet_device, keyboard_device;
    struct numbered_bus ports;
};

enum console_kind { CONSOLE_NONE, CONSOLE_STDIO, CONSOLE_PTY, CONSOLE_FILE, CONSOLE_SOCKET };

struct console_plan {
    enum console_kind kind;
    struct choice name; /* the same, as QEMU calls it */
    struct choice path;
};

struct control_plan {
    struct choice qmp, stop; /* paths of sockets; value: NULL for none */
    int qmp_fd;              /* 0: none */
    struct origin qmp_fd_origin;
    struct device serial; /* of the guest agent */
};

/* A file of an image, and the driver that opens it. */
struct image_file {
    struct choice driver;
    struct choice name; /* value: NULL for no file */
    int fd;             /* that the name stands for; 0: none */
};

/* What a cache mode stands for (QEMU: the table of "cache" at -drive). */
struct caching {
    bool direct, ignores_flushes, writes_through;
    struct origin origin;
};

/* One image, or a layer of one. */
struct image {
    const char *node; /* by which a device or another image names it */
    struct choice format;
    struct image_file file;
    struct image_file data; /* of a qcow2 image whose content is there */
    const char *backing;    /* node of the layer below; NULL: none, whatever the header says */
    struct origin origin;   /* the disk or layer; settings are beside it */
    bool has_layers, read_only;
    struct origin read_only_origin;
    struct caching caching; /* of the disk that it is part of */
    const char *aio;        /* the same; or NULL */
    struct origin aio_origin;
    bool discard;
};

struct drive {
    const vqemu_disk *disk;
    size_t position; /* in the list */
    struct choice bus, serial;
    struct choice device_id; /* of a SCSI drive; NULL: another has none */
    struct caching caching;
    bool read_only, has_medium;
    uint64_t bootindex;
    struct origin bootindex_origin;
    bool adds_iothread, adds_sata;
    struct controller *controller; /* that comes with this drive; NULL: it is there already */
    struct image *images;          /* the lowest layer first; the last is the disk's own */
    size_t image_count;
    struct device device, sata;
};

/* SCSI disks of the same I/O thread, or of none, share one. */
struct controller {
    const char *iothread; /* or NULL */
    struct device device;
};

struct share_plan {
    const vqemu_share *share;
    struct origin origin;
    const char *id; /* of its backend */
    const char *tag;
    bool is_virtiofs, writable;
    struct choice model, multidevs, socket;
    struct device device;
};

struct forward_plan {
    const struct forward *forward;
    struct choice protocol, address;
};

struct nic_plan {
    const vqemu_nic *nic;
    size_t position; /* in the list */
    struct choice backend, model, mac, helper;
    bool is_virtio;
    bool opens_vhost; /* QEMU opens /dev/vhost-net for it */
    struct origin vhost_origin;
    int fd, vhost_fd;              /* that QEMU has them under; 0: none */
    struct forward_plan *forwards; /* as many as the NIC has */
    bool drops_rom;
    struct device device;
};

struct extras_plan {
    struct choice tpm_socket; /* value: NULL without a TPM */
    bool rng, balloon;
    struct device watchdog, rng_device, balloon_device, vsock;
};

/* ---- all of it ---- */

struct plan {
    /* given */
    const vqemu_runtime *runtime;
    const vqemu_vm *vm;
    uint32_t flags; /* of enum vqemu_command_flag */
    const char *state_base,
        *runtime_base; /* the VM's directories are below, unless it names them */

    /* chosen first; everything else goes by these */
    const vqemu_profile *profile;
    const struct arch *arch;
    const struct machine *machine;
    const char *machine_name;
    const char *guest_os;
    bool kvm, uefi, shared_memory;

    unsigned *numbers[DEVICE_LIST_COUNT]; /* of their elements: see plan-id.h */
    bool *slots_used;                     /* of the places that the VM gives: see plan-slot.h */
    struct identity_plan identity;
    struct machine_plan board;
    struct memory_plan memory;
    struct cpu_plan cpu;
    struct firmware_plan firmware; /* of a UEFI guest */
    struct boot_plan boot;
    struct display_plan display;
    struct usb_plan usb;
    struct console_plan console;
    struct control_plan control;
    struct drive *drives; /* as many as the VM has disks */
    struct controller *controllers;
    size_t controller_count;
    struct share_plan root; /* without a share if there is no rootfs */
    struct share_plan *shares;
    struct nic_plan *nics;
    struct extras_plan extras;
    struct device **devices; /* that take a place, in the order of the arguments */
    size_t device_count;
    struct bridge_plan bridges[BRIDGE_MAX + 1]; /* the last: see bridges_settle() */

    int last_named_fd; /* the number of the last descriptor that has a name; 0: none has */
    struct strv claims, readings, mentions; /* see plan-claim.h */
    struct resources resources;
    struct arena texts;
};

void plan_release(struct plan *plan);

/* Whether memory was short somewhere. */
bool plan_has_failed(const struct plan *plan);

/* ---- what the nouns ask ---- */

/* Whether the VM has a share over virtiofs. */
bool plan_has_virtiofs(const vqemu_vm *vm);

/* The guest's system. Only of Linux it is known that it has virtio drivers. */
bool plan_is_windows(const struct plan *plan);
bool plan_has_virtio_drivers(const struct plan *plan);

/* Whether devices are on PCI, and not on channels. */
bool plan_has_pci(const struct plan *plan);

/* A path of the VM's own, or the default in a directory; never NULL. */
const char *plan_path_or(struct plan *plan, const char *path, const char *directory,
                         const char *name);

#endif
