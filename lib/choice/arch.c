/* SPDX-License-Identifier: MIT */
#include "choice/arch.h"

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
 * pauth-impdef=on: with the architected pointer authentication, guests are three times as slow
 * under TCG.
 * 9p2000.u: 9p2000.L carries error numbers of the host, and MIPS has other ones. A guest of it
 * cannot execute a program from there: it asks for capabilities, and gets an error that it takes
 * for another than "not supported". 9p2000.u does not ask.
 * tcg_cpu_alone: on a Malta board, all processors of these models begin with the firmware at once,
 * and nothing is heard of the guest. Others, such as 34Kf, can be more than one.
 * own_fuse: over virtiofs a guest speaks FUSE in its own byte order, flags of open() and error
 * numbers, and virtiofsd takes them for the host's. Where these differ from those of the usual
 * hosts, x86 and arm64, the guest can mount nothing, or execute nothing of it.
 * bridge_slot: where the chipset has a device of several functions, of which these are free; on
 * other machines the last slot, which is the first that is taken by what has no home
 * (plan-place.c). pci_slot: QEMU fills the slots of a Malta board from 0x12 up; Linux knows the
 * interrupts of four. vmport=off: nobody asked for VMware's backdoor. plain_disk of "virt" on Arm:
 * Windows has drivers for NVMe, AHCI and USB sticks. AAVMF, which boots such guests, has drivers
 * for NVMe and USB, and in Debian's builds none for AHCI. Of QEMU's network devices, none is known
 * for which Windows on Arm would bring a driver itself. pseries: TCG does not implement the
 * mitigations that the machine type asks for by default. no_empty_bridges: SLOF, the firmware of
 * pseries, gives a bridge with nothing behind it no number of a bus, and Linux tries to find one
 * without end.
 */
#define GIB UINT64_C(1024) /* MiB */
#define X86_OPTIONS "hpet=off,vmport=off"
#define PSERIES_TCG "cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off,cap-htm=off"

#define PC_MACHINE(memory)                                                                         \
    {                                                                                              \
        .name = "pc", .versioned = "pc-i440fx-", .options = X86_OPTIONS, .ide = IDE_BUILT_IN,      \
        .plain_disk = "ide", .plain_cdrom = "ide", .plain_nic = "e1000", .sleep = "PIIX4_PM",      \
        .boots_disks = true, .bootindex = true, .tcg_max_memory = memory, .first_slot = 2,         \
        .slots = 30, .bridge = BRIDGE_PCI, .bridge_slot = 1,                                       \
    }
#define Q35_MACHINE(memory)                                                                        \
    {                                                                                              \
        .name = "q35", .versioned = "pc-q35-", .options = X86_OPTIONS, .ide = SATA_BUILT_IN,       \
        .plain_disk = "ide", .plain_cdrom = "ide", .plain_nic = "e1000e", .sleep = "ICH9-LPC",     \
        .smm = true, .boots_disks = true, .bootindex = true, .tcg_max_memory = memory,             \
        .first_slot = 1, .slots = 30, .bridge = BRIDGE_PCIE, .bridge_slot = 0x1f,                  \
    }

static const struct machine x86_64_machines[] = {
    Q35_MACHINE(978 * GIB), PC_MACHINE(1009 * GIB), {0}};
static const struct machine i386_machines[] = {PC_MACHINE(61 * GIB), Q35_MACHINE(30 * GIB), {0}};
static const struct machine arm64_machines[] = {
    {
        .name = "virt",
        .versioned = "virt-",
        .options = "gic-version=max",
        .ide = SATA_ADDED,
        .plain_disk = "nvme",
        .plain_cdrom = "usb",
        .first_slot = 1,
        .slots = 31,
        .bridge = BRIDGE_PCIE,
        .bridge_slot = 0x1f,
    },
    {0},
};
static const struct machine arm_machines[] = {
    {
        .name = "virt",
        .versioned = "virt-",
        .ide = SATA_ADDED,
        .plain_disk = "nvme",
        .plain_cdrom = "usb",
        .first_slot = 1,
        .slots = 31,
        .bridge = BRIDGE_PCIE,
        .bridge_slot = 0x1f,
    },
    {0},
};
static const struct machine virt_machines[] = {
    {
        .name = "virt",
        .ide = SATA_ADDED,
        .first_slot = 1,
        .slots = 31,
        .bridge = BRIDGE_PCIE,
        .bridge_slot = 0x1f,
    },
    {0},
};
static const struct machine malta_machines[] = {
    {
        .name = "malta",
        .ide = IDE_BUILT_IN,
        .plain_disk = "ide",
        .plain_cdrom = "ide",
        .plain_nic = "pcnet",
        .first_slot = 0,
        .slots = 32,
    },
    {0},
};
static const struct machine mac99_machines[] = {
    {
        .name = "mac99",
        .options = "via=pmu",
        .ide = IDE_BUILT_IN,
        .plain_disk = "ide",
        .plain_cdrom = "ide",
        .plain_nic = "rtl8139",
        .boots_disks = true,
        .bootindex = true,
        .first_slot = 0,
        .slots = 19,
    },
    {0},
};
static const struct machine pseries_machines[] = {
    {
        .name = "pseries",
        .versioned = "pseries-",
        .ide = SATA_ADDED,
        .boots_disks = true,
        .bootindex = true,
        .first_slot = 0,
        .slots = 32,
        .bridge = BRIDGE_PCI,
        .bridge_slot = 0x1f,
        .no_empty_bridges = true,
    },
    {0},
};
static const struct machine s390_machines[] = {
    {
        .name = "s390-ccw-virtio",
        .versioned = "s390-ccw-virtio-",
        .ide = IDE_NONE,
        .boots_disks = true,
        .bootindex = true,
    },
    {0},
};

static const struct arch archs[] = {
    {
        .name = "x86_64",
        .binary = "qemu-system-x86_64",
        .machines = x86_64_machines,
        .tcg_cpu = "max",
        .console = "ttyS0",
        .bus = "pci",
        .video = "virtio-vga",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .tpm = "tpm-crb",
        .kvm_hosts = {"x86_64"},
        .x86 = true,
        .uefi = true,
        .ramfb = true,
        .max_cpus = 255,
        .msix = true,
    },
    {
        .name = "i386",
        .binary = "qemu-system-i386",
        .machines = i386_machines,
        .tcg_cpu = "max",
        .console = "ttyS0",
        .bus = "pci",
        .video = "virtio-vga",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .tpm = "tpm-crb",
        .kvm_hosts = {"x86_64", "i386"},
        .x86 = true,
        .uefi = true,
        .ramfb = true,
        .max_cpus = 255,
        .msix = true,
    },
    {
        .name = "aarch64",
        .binary = "qemu-system-aarch64",
        .machines = arm64_machines,
        .tcg_cpu = "max,pauth-impdef=on",
        .console = "ttyAMA0",
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "ramfb",
        .watchdog = "i6300esb",
        .tpm = "tpm-tis-device",
        .kvm_hosts = {"aarch64"},
        .uefi = true,
        .ramfb = true,
        .max_cpus = 512,
        .msix = true,
    },
    {
        .name = "arm",
        .binary = "qemu-system-arm",
        .machines = arm_machines,
        .tcg_cpu = "max",
        .console = "ttyAMA0",
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "ramfb",
        .watchdog = "i6300esb",
        .tpm = "tpm-tis-device",
        .uefi = true,
        .ramfb = true,
        .max_memory = 3072,
        .max_cpus = 8, /* its GICv2 has no more */
        .msix = true,
    },
    {
        .name = "riscv64",
        .binary = "qemu-system-riscv64",
        .machines = virt_machines,
        .tcg_cpu = "rv64",
        .console = "ttyS0",
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .tpm = "tpm-tis-device",
        .kvm_hosts = {"riscv64"},
        .uefi = true,
        .max_cpus = 512,
        .msix = true,
    },
    {
        .name = "riscv32",
        .binary = "qemu-system-riscv32",
        .machines = virt_machines,
        .tcg_cpu = "rv32",
        .console = "ttyS0",
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .tpm = "tpm-tis-device",
        .max_memory = 10240,
        .max_cpus = 512,
        .msix = true,
    },
    {
        .name = "mips",
        .binary = "qemu-system-mips",
        .machines = malta_machines,
        .tcg_cpu = "24Kf",
        .console = "ttyS0",
        .p9_version = "9p2000.u",
        .own_fuse = true,
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .max_memory = 2048,
        .max_cpus = 16,
        .tcg_cpu_alone = true,
        .pci_slot = 0x12,
        .pci_slots = 4,
    },
    {
        .name = "mipsel",
        .binary = "qemu-system-mipsel",
        .machines = malta_machines,
        .tcg_cpu = "24Kf",
        .console = "ttyS0",
        .p9_version = "9p2000.u",
        .own_fuse = true,
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .max_memory = 2048,
        .max_cpus = 16,
        .tcg_cpu_alone = true,
        .pci_slot = 0x12,
        .pci_slots = 4,
    },
    {
        .name = "mips64",
        .binary = "qemu-system-mips64",
        .machines = malta_machines,
        .tcg_cpu = "5KEf",
        .console = "ttyS0",
        .p9_version = "9p2000.u",
        .own_fuse = true,
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .max_memory = 2048,
        .max_cpus = 16,
        .tcg_cpu_alone = true,
        .pci_slot = 0x12,
        .pci_slots = 4,
    },
    {
        .name = "mips64el",
        .binary = "qemu-system-mips64el",
        .machines = malta_machines,
        .tcg_cpu = "5KEf",
        .console = "ttyS0",
        .p9_version = "9p2000.u",
        .own_fuse = true,
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .max_memory = 2048,
        .max_cpus = 16,
        .tcg_cpu_alone = true,
        .pci_slot = 0x12,
        .pci_slots = 4,
    },
    {
        .name = "ppc",
        .binary = "qemu-system-ppc",
        .machines = mac99_machines,
        .tcg_cpu = "7447a",
        .console = "ttyPZ0",
        .own_fuse = true,
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .max_memory = 2047,
        .max_cpus = 1,
    },
    {
        .name = "ppc64",
        .binary = "qemu-system-ppc64",
        .machines = pseries_machines,
        .tcg_options = PSERIES_TCG,
        .tcg_cpu = "power9",
        .console = "hvc0",
        .own_fuse = true,
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .tpm = "tpm-spapr",
        .kvm_hosts = {"ppc64", "ppc64le"},
        .msix = true,
        .memory_step = 256,
        .max_cpus = 2048, /* more do not fit into its device tree */
        .threads = THREADS_KVM_ONLY,
    },
    {
        .name = "ppc64le",
        .binary = "qemu-system-ppc64",
        .machines = pseries_machines,
        .tcg_options = PSERIES_TCG,
        .tcg_cpu = "power9",
        .console = "hvc0",
        .own_fuse = true,
        .bus = "pci",
        .video = "virtio-gpu-pci",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .tpm = "tpm-spapr",
        .kvm_hosts = {"ppc64le", "ppc64"},
        .msix = true,
        .memory_step = 256,
        .max_cpus = 2048, /* more do not fit into its device tree */
        .threads = THREADS_KVM_ONLY,
    },
    {
        .name = "s390x",
        .binary = "qemu-system-s390x",
        .machines = s390_machines,
        .tcg_cpu = "max",
        .console = "ttysclp0",
        .own_fuse = true,
        .bus = "ccw",
        .video = "virtio-gpu-ccw",
        .watchdog = "diag288",
        .kvm_hosts = {"s390x"},
        .max_cpus = 248,
        .threads = THREADS_NONE,
    },
    {
        .name = "loongarch64",
        .binary = "qemu-system-loongarch64",
        .machines = virt_machines,
        .tcg_cpu = "la464",
        .console = "ttyS0",
        .bus = "pci",
        .video = "virtio-vga",
        .plain_video = "VGA",
        .watchdog = "i6300esb",
        .kvm_hosts = {"loongarch64"},
        .uefi = true,
        .ramfb = true,
        .default_memory = 1024,
        .min_memory = 1024,
        .max_cpus = 256,
        .msix = true,
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

/* A version is QEMU's, such as 7.2, or a distribution's: rhel9.4.0, jammy, noble-v2. Which there
 * are, QEMU knows. */
static bool is_version(const char *text) {
    return (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z');
}

static bool is_of(const struct machine *machine, const char *name) {
    size_t length = machine->versioned ? strlen(machine->versioned) : 0;
    return strcmp(machine->name, name) == 0 ||
           (length > 0 && strncmp(machine->versioned, name, length) == 0 &&
            is_version(name + length));
}

const struct machine *arch_find_machine(const struct arch *arch, const char *name) {
    for (const struct machine *machine = arch->machines; machine->name; machine++)
        if (is_of(machine, name))
            return machine;
    return NULL;
}

char *arch_list_machines(const struct arch *arch) {
    struct strbuf names = {0};
    for (const struct machine *machine = arch->machines; machine->name; machine++) {
        strbuf_addf(&names, "%s%s", names.length ? ", " : "", machine->name);
        if (machine->versioned)
            strbuf_addf(&names, ", %s<version>", machine->versioned);
    }
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

VQEMU_EXPORT const char *vqemu_guest_arch_binary_name(const char *guest_arch) {
    const struct arch *arch = arch_find(guest_arch);
    return arch ? arch->binary : NULL;
}

VQEMU_EXPORT size_t vqemu_guest_arch_machine_count(const char *guest_arch) {
    const struct arch *arch = arch_find(guest_arch);
    size_t count = 0;
    while (arch && arch->machines[count].name)
        count++;
    return count;
}

VQEMU_EXPORT const char *vqemu_guest_arch_machine_at(const char *guest_arch, size_t index) {
    const struct arch *arch = arch_find(guest_arch);
    return index < vqemu_guest_arch_machine_count(guest_arch) ? arch->machines[index].name : NULL;
}
