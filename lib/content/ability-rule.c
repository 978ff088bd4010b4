/* SPDX-License-Identifier: MIT */
#include "content/ability-rule.h"

#include <stdbool.h>
#include <string.h>

#include <volt-qemu/profile.h>

#include "content/known-names.h"

/* ---- parts ---- */

enum part {
    KVM,
    TCG,
    TCG_OPERATIONS,
    VNC,
    VGA,
    RAMFB,
    VIRTIO_VGA,
    VIRTIO_GPU_PCI,
    VIRTIO_GPU_CCW,
    XHCI,
    USB_TABLET,
    USB_STORAGE,
    TPM_EMULATOR,
    TPM_CRB,
    TPM_TIS_DEVICE,
    TPM_SPAPR,
    IDE_DISK,
    IDE_CDROM,
    AHCI,
    NVME,
    E1000,
    E1000E,
    RTL8139,
    VMXNET3,
    PCNET,
    NE2K_PCI,
    HYPERV_SYNIC,
};

/* A text that is compared or copied only can become part of the code; these are kept as pointers,
 * or handed on. */
static const struct ability_part parts[] = {
    [KVM] = {"accel",
             "kvm",
             NULL,
             "kvm-accel",
             {"Configure KVM in-kernel irqchip", "kvm_init_vcpu: KVM_GET_VCPU_MMAP_SIZE failed"}},
    [TCG] = {"accel",
             "tcg",
             NULL,
             "tcg-accel",
             {"TCG translation block cache size", "Map jit pages into separate RW and RX regions"}},
    [TCG_OPERATIONS] = {NULL, "tcg-accel-ops", MODULE_TCG, NULL, {"CPU %d/TCG"}},
    [VNC] = {"option", "vnc", NULL, NULL, {"no vnc port specified", "VNC display not active"}},
    [VGA] = {"device", "VGA", NULL, NULL, {"pci-vga", "vga.mmio"}},
    [RAMFB] = {"device", "ramfb", NULL, "ramfb", {"ram framebuffer standalone device"}},
    [VIRTIO_VGA] = {"device",
                    "virtio-vga",
                    "hw-display-virtio-vga",
                    "virtio-vga",
                    {"virtio-vga-base", "vgabios-virtio.bin"}},
    [VIRTIO_GPU_PCI] = {"device",
                        "virtio-gpu-pci",
                        "hw-display-virtio-gpu-pci",
                        "virtio-gpu-pci",
                        {"virtio-gpu-pci-base", "virtio-gpu-scanouts"}},
    [VIRTIO_GPU_CCW] = {"device",
                        "virtio-gpu-ccw",
                        "hw-s390x-virtio-gpu-ccw",
                        "virtio-gpu-ccw",
                        {"virtio-gpu-scanouts"}},
    [XHCI] = {"device", "qemu-xhci", NULL, "qemu-xhci", {"usb3 port #%d"}},
    [USB_TABLET] = {"device", "usb-tablet", NULL, "usb-tablet", {"QEMU USB Tablet", "usb-ptr"}},
    [USB_STORAGE] = {"device", "usb-storage", NULL, "usb-storage", {"QEMU USB MSD", "commandlog"}},
    [TPM_EMULATOR] = {"tpm",
                      "emulator",
                      NULL,
                      "tpm-emulator",
                      {"TPM emulator backend driver", "tpm-emulator: Failed to create socketpair"}},
    [TPM_CRB] = {"device", "tpm-crb", NULL, "tpm-crb", {"tpm-crb-cmd", "tpm-crb-mmio"}},
    [TPM_TIS_DEVICE] = {"device", "tpm-tis-device", NULL, "tpm-tis-device", {"tpm-tis-mmio"}},
    [TPM_SPAPR] = {"device", "tpm-spapr", NULL, "tpm-spapr", {"IBM,vtpm20", "vtpm"}},
    [IDE_DISK] = {"device", "ide-hd", NULL, "ide-hd", {"virtual IDE disk"}},
    [IDE_CDROM] = {"device", "ide-cd", NULL, "ide-cd", {"virtual IDE CD-ROM"}},
    [AHCI] = {"device", "ich9-ahci", NULL, "ich9-ahci", {"ich9_ahci"}},
    [NVME] = {"device", "nvme", NULL, "nvme", {"Non-Volatile Memory Express", "nvme-bar0"}},
    [E1000] = {"device", "e1000", NULL, "e1000", {"Intel Gigabit Ethernet", "e1000-mmio"}},
    [E1000E] = {"device", "e1000e", NULL, "e1000e", {"Intel 82574L GbE Controller", "e1000e-mmio"}},
    [RTL8139] = {"device", "rtl8139", NULL, "rtl8139", {"rtl8139-mem", "rtl8139/hotplug_ready"}},
    [VMXNET3] = {"device",
                 "vmxnet3",
                 NULL,
                 "vmxnet3",
                 {"VMWare Paravirtualized Ethernet v3", "vmxnet3-b1"}},
    [PCNET] = {"device", "pcnet", NULL, "pcnet", {"pcnet-mmio", "pcnet-io"}},
    [NE2K_PCI] = {"device", "ne2k_pci", NULL, "ne2k_pci", {"efi-ne2k_pci.rom"}},
    [HYPERV_SYNIC] = {"device",
                      "hyperv-synic",
                      NULL,
                      "hyperv-synic",
                      {"synic-%u-msg-page", "synic-%u-event-page"}},
};

size_t ability_parts_count(void) {
    return sizeof parts / sizeof parts[0];
}

const struct ability_part *ability_part_at(size_t index) {
    return &parts[index];
}

static const struct ability_part *find_device(const char *name) {
    for (size_t i = 0; name && i < ability_parts_count(); i++)
        if (parts[i].kind && strcmp(parts[i].kind, "device") == 0 &&
            strcmp(parts[i].name, name) == 0)
            return &parts[i];
    return NULL;
}

/* ---- what an ability takes ---- */

/* What is added up. */
struct list {
    struct ability_need *needs;
    size_t count;
};

static void need(struct list *list, const struct ability_part *part) {
    list->needs[list->count++] = (struct ability_need){{part}};
}

/* One that is NULL is none. */
static void need_or(struct list *list, const struct ability_part *part) {
    const struct ability_part **choices = list->needs[list->count - 1].parts;
    while (*choices)
        choices++;
    *choices = part;
}

static void need_display(struct list *list, const struct arch *guest) {
    need(list, &parts[VNC]);
    need(list, find_device(guest->video));
    need_or(list, find_device(guest->plain_video));
}

static void need_usb(struct list *list) {
    need(list, &parts[XHCI]);
    need(list, &parts[USB_TABLET]);
    need(list, &parts[USB_STORAGE]);
}

static void need_tpm(struct list *list, const struct arch *guest) {
    const struct ability_part *device = find_device(guest->tpm);
    if (!device)
        return;
    need(list, &parts[TPM_EMULATOR]);
    need(list, device);
}

static bool can_have_sata(const struct arch *guest) {
    for (const struct machine *machine = guest->machines; machine->name; machine++)
        if (machine->ide == SATA_BUILT_IN || machine->ide == SATA_ADDED)
            return true;
    return false;
}

static void need_storage(struct list *list, const struct arch *guest) {
    need(list, &parts[IDE_DISK]);
    need(list, &parts[IDE_CDROM]);
    if (guest->msix)
        need(list, &parts[NVME]);
    if (can_have_sata(guest))
        need(list, &parts[AHCI]);
}

/* Whoever asks for a model by its name is told if there is none. */
static void need_nics(struct list *list, const struct arch *guest) {
    need(list, &parts[E1000]);
    need_or(list, &parts[RTL8139]);
    need_or(list, &parts[PCNET]);
    need_or(list, &parts[NE2K_PCI]);
    if (guest->msix) {
        need_or(list, &parts[E1000E]);
        need_or(list, &parts[VMXNET3]);
    }
}

size_t ability_needs(uint64_t ability, const struct arch *guest,
                     struct ability_need needs[ABILITY_NEEDS_MAX]) {
    struct list list = {needs, 0};
    bool has_pci = strcmp(guest->bus, "pci") == 0;
    switch (ability) {
    case VQEMU_ABILITY_KVM:
        need(&list, &parts[KVM]);
        break;
    case VQEMU_ABILITY_TCG:
        need(&list, &parts[TCG]);
        need(&list, &parts[TCG_OPERATIONS]);
        break;
    case VQEMU_ABILITY_DISPLAY:
        need_display(&list, guest);
        break;
    case VQEMU_ABILITY_USB:
        if (has_pci)
            need_usb(&list);
        break;
    case VQEMU_ABILITY_TPM:
        need_tpm(&list, guest);
        break;
    case VQEMU_ABILITY_STORAGE:
        if (has_pci)
            need_storage(&list, guest);
        break;
    case VQEMU_ABILITY_NICS:
        if (has_pci)
            need_nics(&list, guest);
        break;
    case VQEMU_ABILITY_HYPERV:
        if (guest->x86)
            need(&list, &parts[HYPERV_SYNIC]);
        break;
    }
    return list.count;
}

/* ---- whether it is there ---- */

static int judge_one(const struct ability_need *need, ability_part_fn has, void *userdata) {
    int best = 0;
    for (size_t i = 0; best != 1 && need->parts[i]; i++) {
        int one = has(need->parts[i], userdata);
        best = one == 0 ? best : one;
    }
    return best;
}

int ability_judge(const struct ability_need *needs, size_t count, ability_part_fn has,
                  void *userdata, const struct ability_need **decided_by) {
    int worst = 1;
    *decided_by = NULL;
    for (size_t i = 0; worst != 0 && i < count; i++) {
        int one = judge_one(&needs[i], has, userdata);
        if (worst == -1 && one == 1)
            continue;
        worst = one;
        *decided_by = &needs[i];
    }
    return worst;
}
