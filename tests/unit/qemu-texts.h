/* SPDX-License-Identifier: MIT */
/* What programs contain that can do what emulate-x86 is to do, ability by ability. */
#ifndef QEMU_TEXTS_H
#define QEMU_TEXTS_H

#define QEMU "qom-list-types"
#define TCG_TEXTS                                                                                  \
    "tcg-accel", "TCG translation block cache size",                                               \
        "Map jit pages into separate RW and RX regions", "CPU %d/TCG"
#define DISPLAY_TEXTS "no vnc port specified", "VNC display not active", "pci-vga", "vga.mmio"
#define USB_TEXTS                                                                                  \
    "qemu-xhci", "usb3 port #%d", "usb-tablet", "QEMU USB Tablet", "usb-ptr", "usb-storage",       \
        "QEMU USB MSD", "commandlog"
#define TPM_TEXTS                                                                                  \
    "tpm-emulator", "TPM emulator backend driver", "tpm-emulator: Failed to create socketpair",    \
        "tpm-crb", "tpm-crb-cmd", "tpm-crb-mmio"
#define STORAGE_TEXTS                                                                              \
    "ide-hd", "virtual IDE disk", "ide-cd", "virtual IDE CD-ROM", "ich9-ahci", "ich9_ahci",        \
        "nvme", "Non-Volatile Memory Express", "nvme-bar0"
#define NICS_TEXTS "e1000e", "Intel 82574L GbE Controller", "e1000e-mmio"
#define HYPERV_TEXTS "hyperv-synic", "synic-%u-msg-page", "synic-%u-event-page"
#define ALL_TEXTS QEMU, TCG_TEXTS, DISPLAY_TEXTS, USB_TEXTS, TPM_TEXTS, STORAGE_TEXTS, NICS_TEXTS
#define KVM_TEXTS                                                                                  \
    "kvm-accel", "Configure KVM in-kernel irqchip", "kvm_init_vcpu: KVM_GET_VCPU_MMAP_SIZE failed"

#endif
