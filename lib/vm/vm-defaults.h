/* SPDX-License-Identifier: MIT */
/* What holds where a VM says nothing, for all who must agree on it: what builds commands, what
 * writes units, what checks policies, what completes VMs. */
#ifndef LIB_VM_DEFAULTS_H
#define LIB_VM_DEFAULTS_H

#include <stdbool.h>

#include "vm/nic.h"
#include "vm/vm.h"

/* How a directory is shared: by a driver of "shares", or of "rootfs_driver". */
#define DEFAULT_SHARE_DRIVER "9p"
bool vm_shares_by_9p(const char *driver);
bool vm_shares_by_virtiofs(const char *driver);

/* What a network device is connected to. */
#define DEFAULT_NIC_BACKEND "user"
const char *vm_nic_backend(const vqemu_nic *nic);

/* Whether a guest's system is known to have virtio drivers; NULL is what guest_os is by default. */
bool vm_has_virtio_drivers(const char *guest_os);

/* Whether QEMU confines itself. */
bool vm_is_sandboxed(const vqemu_vm *vm);

#endif
