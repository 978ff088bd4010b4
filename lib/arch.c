/* SPDX-License-Identifier: MIT */
#include "arch.h"

#include <string.h>

#include <volt-qemu/profile.h>

#include "util/export.h"
#include "util/strbuf.h"

/*
 * Machines, CPU models and consoles with which QEMU 7.2 and later boot the kernels that
 * distributions build (docs/system/target-*.rst in QEMU's sources; tests/e2e starts every row).
 * A wrong console or CPU is not refused by QEMU: the guest just stays silent.
 *
 * hpet=off: the HPET costs an idle x86 guest a tenth of a CPU, and no current system needs it.
 * pseries: TCG does not implement the mitigations that the machine type asks for by default.
 */
#define PSERIES_TCG "cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"

static const struct arch archs[] = {
    {
        .name = "x86_64",
        .binary = "qemu-system-x86_64",
        .machine = "q35,hpet=off",
        .tcg_cpu = "max",
        .console = "ttyS0",
        .virtio_9p = "virtio-9p-pci",
        .kvm_hosts = {"x86_64"},
        .x86 = true,
        .uefi = true,
        .max_cpus = 255,
    },
    {
        .name = "i386",
        .binary = "qemu-system-i386",
        .machine = "pc,hpet=off",
        .tcg_cpu = "max",
        .console = "ttyS0",
        .virtio_9p = "virtio-9p-pci",
        .kvm_hosts = {"x86_64", "i386"},
        .x86 = true,
        .uefi = true,
        .max_cpus = 255,
    },
    {
        .name = "aarch64",
        .binary = "qemu-system-aarch64",
        .machine = "virt,gic-version=max",
        .tcg_cpu = "max",
        .console = "ttyAMA0",
        .virtio_9p = "virtio-9p-pci",
        .kvm_hosts = {"aarch64"},
        .uefi = true,
        .max_cpus = 512,
    },
    {
        .name = "arm",
        .binary = "qemu-system-arm",
        .machine = "virt",
        .tcg_cpu = "max",
        .console = "ttyAMA0",
        .virtio_9p = "virtio-9p-pci",
        .uefi = true,
        .max_cpus = 8, /* its GICv2 has no more */
    },
    {
        .name = "riscv64",
        .binary = "qemu-system-riscv64",
        .machine = "virt",
        .tcg_cpu = "rv64",
        .console = "ttyS0",
        .virtio_9p = "virtio-9p-pci",
        .kvm_hosts = {"riscv64"},
        .uefi = true,
        .max_cpus = 512,
    },
    {
        .name = "riscv32",
        .binary = "qemu-system-riscv32",
        .machine = "virt",
        .tcg_cpu = "rv32",
        .console = "ttyS0",
        .virtio_9p = "virtio-9p-pci",
        .max_cpus = 512,
    },
    {
        .name = "mips",
        .binary = "qemu-system-mips",
        .machine = "malta",
        .tcg_cpu = "24Kf",
        .console = "ttyS0",
        .virtio_9p = "virtio-9p-pci",
        .max_memory = 2048,
        .max_cpus = 16,
    },
    {
        .name = "mipsel",
        .binary = "qemu-system-mipsel",
        .machine = "malta",
        .tcg_cpu = "24Kf",
        .console = "ttyS0",
        .virtio_9p = "virtio-9p-pci",
        .max_memory = 2048,
        .max_cpus = 16,
    },
    {
        .name = "mips64",
        .binary = "qemu-system-mips64",
        .machine = "malta",
        .tcg_cpu = "5KEf",
        .console = "ttyS0",
        .virtio_9p = "virtio-9p-pci",
        .max_memory = 2048,
        .max_cpus = 16,
    },
    {
        .name = "mips64el",
        .binary = "qemu-system-mips64el",
        .machine = "malta",
        .tcg_cpu = "5KEf",
        .console = "ttyS0",
        .virtio_9p = "virtio-9p-pci",
        .max_memory = 2048,
        .max_cpus = 16,
    },
    {
        .name = "ppc",
        .binary = "qemu-system-ppc",
        .machine = "mac99,via=pmu",
        .tcg_cpu = "7447a",
        .console = "ttyPZ0",
        .virtio_9p = "virtio-9p-pci",
        .max_memory = 2047,
        .max_cpus = 1,
    },
    {
        .name = "ppc64",
        .binary = "qemu-system-ppc64",
        .machine = "pseries",
        .tcg_options = PSERIES_TCG,
        .tcg_cpu = "power9",
        .console = "hvc0",
        .virtio_9p = "virtio-9p-pci",
        .kvm_hosts = {"ppc64", "ppc64le"},
    },
    {
        .name = "ppc64le",
        .binary = "qemu-system-ppc64",
        .machine = "pseries",
        .tcg_options = PSERIES_TCG,
        .tcg_cpu = "power9",
        .console = "hvc0",
        .virtio_9p = "virtio-9p-pci",
        .kvm_hosts = {"ppc64le", "ppc64"},
    },
    {
        .name = "s390x",
        .binary = "qemu-system-s390x",
        .machine = "s390-ccw-virtio",
        .tcg_cpu = "max",
        .console = "ttysclp0",
        .virtio_9p = "virtio-9p-ccw",
        .kvm_hosts = {"s390x"},
        .max_cpus = 248,
    },
    {
        .name = "loongarch64",
        .binary = "qemu-system-loongarch64",
        .machine = "virt",
        .tcg_cpu = "la464",
        .console = "ttyS0",
        .virtio_9p = "virtio-9p-pci",
        .kvm_hosts = {"loongarch64"},
        .uefi = true,
        .default_memory = 1024,
        .min_memory = 1024,
        .max_cpus = 256,
    },
};

size_t arch_count(void) {
    return sizeof archs / sizeof archs[0];
}

const struct arch *arch_at(size_t index) {
    return index < arch_count() ? &archs[index] : NULL;
}

const struct arch *arch_find(const char *name) {
    for (size_t i = 0; name && i < arch_count(); i++)
        if (strcmp(archs[i].name, name) == 0)
            return &archs[i];
    return NULL;
}

char *arch_list_names(void) {
    struct strbuf names = {0};
    for (size_t i = 0; i < arch_count(); i++)
        strbuf_addf(&names, "%s%s", i ? ", " : "", archs[i].name);
    return strbuf_take(&names);
}

bool arch_runs_under_kvm_of(const struct arch *guest, const char *host) {
    for (size_t i = 0; guest->kvm_hosts[i]; i++)
        if (strcmp(guest->kvm_hosts[i], host) == 0)
            return true;
    return false;
}

VQEMU_EXPORT size_t vqemu_guest_arch_count(void) {
    return arch_count();
}

VQEMU_EXPORT const char *vqemu_guest_arch_at(size_t index) {
    const struct arch *arch = arch_at(index);
    return arch ? arch->name : NULL;
}

VQEMU_EXPORT const char *vqemu_guest_arch_binary(const char *guest_arch) {
    const struct arch *arch = arch_find(guest_arch);
    return arch ? arch->binary : NULL;
}
