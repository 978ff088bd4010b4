/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_HOST_H
#define VOLT_QEMU_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What selection needs to know of a host: its architecture, and whether KVM runs guests on it.
 *
 * Probed from the machine, or described by hand for tests and for planning another host's work.
 * Immutable, one owner; any number of threads may read it. Since 1.0.
 */
typedef struct vqemu_host vqemu_host;

/** How far KVM works on a host. Since 1.0. */
enum vqemu_kvm_state {
    /** KVM runs guests. */
    VQEMU_KVM_USABLE = 1,
    /** There is no /dev/kvm. */
    VQEMU_KVM_ABSENT = 2,
    /** /dev/kvm is there, but this process may not open it read-write. */
    VQEMU_KVM_DENIED = 3,
    /** /dev/kvm opens, but does not speak KVM API version 12 or creates no VM. */
    VQEMU_KVM_BROKEN = 4,
    /**
     * KVM without the processor's virtualization extensions: it creates VMs, but emulates too
     * little of the processor to run the kernel of a guest.
     */
    VQEMU_KVM_SOFTWARE = 5
};

/** The name of a KVM state, such as "software"; "unknown" for other numbers. Static. Since 1.0. */
const char *vqemu_kvm_state_name(int32_t state);

/**
 * Probe the machine this process runs on: uname(2) for the architecture; for KVM, open /dev/kvm
 * read-write, ask its API version (12, the only stable one: Linux's Documentation/virt/kvm/api.rst)
 * and have it create a VM; on x86 also require that kvm_intel or kvm_amd serves it, which tells
 * hardware KVM from software KVM.
 *
 * A host without KVM is an answer, not an error. On success the caller frees *host with
 * vqemu_host_free().
 *
 * Errors: VQEMU_ERR_NO_MEMORY, VQEMU_ERR_SYSTEM. Safe from any thread. Since 1.0.
 */
int vqemu_host_probe(vqemu_host **host, vqemu_error **error);

/**
 * Describe a host by hand.
 *
 * arch is a name of the guest-architecture table ("x86_64", "aarch64", ...); kvm is one of enum
 * vqemu_kvm_state. On success the caller frees *host with vqemu_host_free().
 *
 * Errors: VQEMU_ERR_INVALID for an unknown architecture or state, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_host_new(const char *arch, int32_t kvm, vqemu_host **host, vqemu_error **error);

/** The host's architecture, such as "x86_64". Borrowed from the host. Since 1.0. */
const char *vqemu_host_arch(const vqemu_host *host);

/** How far KVM works: one of enum vqemu_kvm_state. Since 1.0. */
int32_t vqemu_host_kvm_state(const vqemu_host *host);

/** Whether KVM runs guests here: vqemu_host_kvm_state() is VQEMU_KVM_USABLE. Since 1.0. */
bool vqemu_host_kvm_usable(const vqemu_host *host);

/** Why KVM is or is not usable, as a phrase for people. Borrowed from the host. Since 1.0. */
const char *vqemu_host_kvm_reason(const vqemu_host *host);

/** Free a host. NULL is allowed. Since 1.0. */
void vqemu_host_free(vqemu_host *host);

#ifdef __cplusplus
}
#endif

#endif
