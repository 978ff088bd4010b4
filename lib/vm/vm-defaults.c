/* SPDX-License-Identifier: MIT */
#include "vm/vm-defaults.h"

#include <string.h>

bool vm_shares_by_9p(const char *driver) {
    return strcmp(driver ? driver : DEFAULT_SHARE_DRIVER, "9p") == 0;
}

bool vm_shares_by_virtiofs(const char *driver) {
    return strcmp(driver ? driver : DEFAULT_SHARE_DRIVER, "virtiofs") == 0;
}

const char *vm_nic_backend(const vqemu_nic *nic) {
    return nic->backend ? nic->backend : DEFAULT_NIC_BACKEND;
}

bool vm_has_virtio_drivers(const char *guest_os) {
    return !guest_os || strcmp(guest_os, "linux") == 0;
}

bool vm_is_sandboxed(const vqemu_vm *vm) {
    return is_on_by_default(vm->sandbox, true);
}
