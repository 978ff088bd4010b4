/* SPDX-License-Identifier: MIT */
#include "command/plan.h"

#include <string.h>

#include "vm/vm-defaults.h"

bool plan_has_virtiofs(const vqemu_vm *vm) {
    bool found = vm->rootfs && vm_shares_by_virtiofs(vm->rootfs_driver);
    for (size_t i = 0; i < vm->shares.count; i++)
        found = found || vm_shares_by_virtiofs(((const vqemu_share *)vm->shares.items[i])->driver);
    return found;
}

bool plan_is_windows(const struct plan *plan) {
    return strcmp(plan->guest_os, "windows") == 0;
}

bool plan_has_virtio_drivers(const struct plan *plan) {
    return vm_has_virtio_drivers(plan->guest_os);
}

bool plan_has_pci(const struct plan *plan) {
    return strcmp(plan->arch->bus, "pci") == 0;
}

const char *plan_path_or(struct plan *plan, const char *path, const char *directory,
                         const char *name) {
    return path ? path : arena_join(&plan->texts, directory, "/", name, NULL);
}

bool plan_has_failed(const struct plan *plan) {
    return plan->texts.failed || plan->resources.failed || plan->claims.failed ||
           plan->readings.failed || plan->mentions.failed;
}

void plan_release(struct plan *plan) {
    firmware_release(&plan->firmware.files);
    strv_release(&plan->claims);
    strv_release(&plan->readings);
    strv_release(&plan->mentions);
    resources_release(&plan->resources);
    arena_release(&plan->texts);
}
