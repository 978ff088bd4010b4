/* SPDX-License-Identifier: MIT */
/* The guest-architecture table: everything that depends on the architecture is a column of it. */
#ifndef LIB_ARCH_H
#define LIB_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a core can have several threads. */
enum threads {
    THREADS_ANY,
    THREADS_KVM_ONLY,
    THREADS_NONE,
};

/* What an IDE disk is attached to. */
enum ide {
    IDE_NONE,
    IDE_BUILT_IN,  /* two buses, ide.0 and ide.1, of two drives each */
    SATA_BUILT_IN, /* six buses, ide.0 to ide.5, of one drive each */
    SATA_ADDED,    /* an ich9-ahci must be added; ports as of SATA_BUILT_IN */
};

/* What more PCI devices than the machine's own bus has room for are attached to. */
enum bridge {
    BRIDGE_NONE,
    BRIDGE_PCI,
    BRIDGE_PCIE, /* its own bus is PCI Express: it takes root ports as well */
};

/* A kind of machine of an architecture. */
struct machine {
    const char *name;      /* QEMU's alias of its newest version, or its only name */
    const char *versioned; /* what a name with a version begins with, or NULL */
    const char *options;   /* for -machine, that every guest wants, or NULL */
    enum ide ide;
    /* Buses that systems without virtio drivers know, or NULL where they get virtio and scsi. */
    const char *plain_disk, *plain_cdrom;
    const char *plain_nic;   /* a model that systems without virtio drivers know, or NULL */
    const char *sleep;       /* device with the properties disable_s3 and disable_s4, or NULL */
    bool smm;                /* has system management mode, which guards secure boot on x86 */
    bool boots_disks;        /* has firmware of its own that boots from a disk, */
    bool bootindex;          /* and goes by QEMU's bootindex */
    uint64_t tcg_max_memory; /* MiB that it can have under TCG, 0 for that of the architecture */
    unsigned first_slot;     /* of PCI, that a device can be put in */
    unsigned slots;          /* PCI devices that can be added, or 0 for no limit worth checking */
    enum bridge bridge;
    unsigned bridge_slot;  /* whose functions 4 to 7 are free for bridges */
    bool no_empty_bridges; /* and its firmware finds them without the first function */
};

struct arch {
    const char *name;
    const char *binary;             /* QEMU program below bin/ */
    const struct machine *machines; /* ended by one without a name; the first is the default */
    const char *tcg_options;        /* further -machine options under TCG, or NULL */
    const char *tcg_cpu;            /* -cpu under TCG; under KVM it is always "host" */
    const char *console;            /* console= of the kernel command line */
    const char *p9_version;         /* protocol of a root file system over 9p; NULL: 9p2000.L */
    bool own_fuse;                  /* virtiofs works on hosts of its own architecture only */
    const char *bus;                /* of the machine's devices: "pci" or "ccw" */
    const char *video;              /* graphics device of guests with virtio drivers */
    const char *plain_video;        /* of others, or NULL */
    const char *watchdog;           /* device model */
    const char *tpm;                /* device model, or NULL */
    const char *kvm_hosts[3];       /* hosts whose KVM runs such guests, NULL-terminated */
    bool x86;
    bool uefi;               /* UEFI firmware exists for the machine */
    bool ramfb;              /* the machine's fw_cfg has the DMA that ramfb needs */
    bool msix;               /* the machine's PCI has MSI-X, which newer devices need */
    uint64_t default_memory; /* MiB */
    uint64_t min_memory;     /* MiB that the machine needs */
    uint64_t max_memory;     /* MiB that the machine can have, 0 for as much as the key allows */
    uint64_t memory_step;    /* MiB of which the memory is a multiple, 0 for any */
    bool tcg_cpu_alone;      /* of the model tcg_cpu there can be only one */
    uint8_t pci_slot;        /* the first of those PCI slots that have an interrupt, */
    uint8_t pci_slots;       /* and their number, or 0 if all have one */
    uint32_t max_cpus;
    enum threads threads;
};

size_t arch_count(void);
const struct arch *arch_at(size_t index);
/* NULL if there is no such architecture; name may be NULL. */
const struct arch *arch_find(const char *name);
/* All names, separated by ", ", for messages; NULL without memory. Owned by the caller. */
char *arch_list_names(void);
/* The kind of machine that a name, with or without a version, is of; NULL if it is of none. */
const struct machine *arch_find_machine(const struct arch *arch, const char *name);
/* The names that arch_find_machine() takes, for messages; NULL without memory. */
char *arch_list_machines(const struct arch *arch);
bool arch_runs_under_kvm_of(const struct arch *guest, const char *host);

#endif
