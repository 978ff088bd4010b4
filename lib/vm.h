/* SPDX-License-Identifier: MIT */
#ifndef LIB_VM_H
#define LIB_VM_H

#include <volt-qemu/vm.h>

#include "util/cleanup.h"

DEFINE_CLEANUP(vqemu_vm, vm, vqemu_vm_free);
#define _cleanup_vm_ _cleanup_(cleanup_vm)

#endif
