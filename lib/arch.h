/* SPDX-License-Identifier: MIT */
/* The guest-architecture table: everything that depends on the architecture is a column of it. */
#ifndef LIB_ARCH_H
#define LIB_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arch {
    const char *name;
    const char *binary;       /* QEMU program below bin/ */
    const char *machine;      /* -machine: type and the options that every guest wants */
    const char *tcg_options;  /* further -machine options under TCG, or NULL */
    const char *tcg_cpu;      /* -cpu under TCG; under KVM it is always "host" */
    const char *console;      /* console= of the kernel command line */
    const char *virtio_9p;    /* device model of a 9p share on the machine's bus */
    const char *kvm_hosts[3]; /* hosts whose KVM runs such guests, NULL-terminated */
    bool x86;
    bool uefi;               /* UEFI firmware exists for the machine */
    uint64_t default_memory; /* MiB */
    uint64_t min_memory;     /* MiB that the machine needs */
    uint64_t max_memory;     /* MiB that the machine can have, 0 for no limit worth checking */
    uint32_t max_cpus;       /* 0 for no limit worth checking */
};

size_t arch_count(void);
const struct arch *arch_at(size_t index);
/* NULL if there is no such architecture; name may be NULL. */
const struct arch *arch_find(const char *name);
/* All names, separated by ", ", for messages; NULL without memory. Owned by the caller. */
char *arch_list_names(void);
bool arch_runs_under_kvm_of(const struct arch *guest, const char *host);

#endif
