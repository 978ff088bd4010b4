/* SPDX-License-Identifier: MIT */
/* What a VM needs of a profile: what lib/command will ask for, by the same rules; and for IDE and
 * SATA those profiles are preferred that are meant to have them, though machines have some built in
 * under any. */

#include "base/error.h"
#include "choice/request.h"
#include "util/export.h"
#include "vm/disk.h"
#include "vm/nic.h"
#include "vm/vm-defaults.h"
#include "vm/vm.h"

static void need_display(const vqemu_vm *vm, struct vm_needs *needs) {
    bool has_settings =
        vm->video || vm->vnc_socket || vm->vnc_port || vm->vnc_password_file || vm->display;
    bool shown = has_settings && !is_chosen(vm->display, "none");
    if (shown)
        needs->abilities |= VQEMU_ABILITY_DISPLAY;
    if (is_on(vm->usb) || is_on(vm->usb_tablet))
        needs->abilities |= VQEMU_ABILITY_USB;
    else if (shown && vm->usb != TOGGLE_OFF)
        needs->on_pci |= VQEMU_ABILITY_USB; /* for the tablet */
}

static void need_disk(const vqemu_vm *vm, const vqemu_disk *disk, struct vm_needs *needs) {
    if (is_chosen(disk->bus, "ide") || is_chosen(disk->bus, "nvme"))
        needs->abilities |= VQEMU_ABILITY_STORAGE;
    else if (is_chosen(disk->bus, "usb"))
        needs->abilities |= VQEMU_ABILITY_USB;
    else if (!disk->bus && vm_has_virtio_drivers(vm->guest_os) && is_on(disk->cdrom))
        needs->on_ide |= VQEMU_ABILITY_STORAGE;
    else if (!disk->bus && !vm_has_virtio_drivers(vm->guest_os))
        needs->on_plain_disk |= VQEMU_ABILITY_STORAGE;
    if (!disk->bus && !vm_has_virtio_drivers(vm->guest_os) && is_on(disk->cdrom) &&
        vm->usb != TOGGLE_OFF)
        needs->on_usb_cdrom |= VQEMU_ABILITY_USB;
}

static void need_nic(const vqemu_vm *vm, const vqemu_nic *nic, struct vm_needs *needs) {
    if (nic->model && !is_chosen(nic->model, "virtio"))
        needs->abilities |= VQEMU_ABILITY_NICS;
    else if (!nic->model && !vm_has_virtio_drivers(vm->guest_os))
        needs->on_nic |= VQEMU_ABILITY_NICS;
}

VQEMU_EXPORT int vqemu_request_set_vm(vqemu_request *request, const vqemu_vm *vm, uint32_t flags,
                                      vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(request, error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_FLAGS(flags, 0, error);
    struct vm_needs needs = {.guest_arch = vm->guest_arch,
                             .guest_os = vm->guest_os,
                             .profile = vm->profile,
                             .mode = vm->mode,
                             .machine = vm->machine};
    if (is_chosen(vm->firmware, "uefi") || is_on(vm->secure_boot))
        needs.abilities |= VQEMU_ABILITY_UEFI;
    if (is_on_by_default(vm->tpm, vm->tpm_socket || vm->tpm_state || vm->swtpm_program))
        needs.abilities |= VQEMU_ABILITY_TPM;
    if (is_on(vm->hyperv))
        needs.on_x86 |= VQEMU_ABILITY_HYPERV;
    need_display(vm, &needs);
    for (size_t i = 0; i < vm->disks.count; i++)
        need_disk(vm, vm->disks.items[i], &needs);
    for (size_t i = 0; i < vm->nics.count; i++)
        need_nic(vm, vm->nics.items[i], &needs);
    return request_set_needs(request, &needs, error);
}
