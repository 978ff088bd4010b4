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
 * What selection needs to know of a host: its architecture, and whether KVM runs guests on it; and
 * what a command needs to know: whether the kernel moves packets of network devices (vhost-net).
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
    VQEMU_KVM_SOFTWARE = 5,
    /**
     * KVM creates VMs, but it cannot be seen whether the hardware is behind it: the files that tell
     * are hidden, as in some containers. It counts as usable; vqemu_host_kvm_message() says what
     * could not be seen.
     */
    VQEMU_KVM_UNSEEN = 6
};

/** The name of a KVM state, such as "software"; "unknown" for other numbers. Static. Since 1.0. */
const char *vqemu_kvm_state_name(int32_t state);

/** Whether VMs can use the host's vhost-net, by which the kernel moves the packets of their network
 * devices. Since 1.0. */
enum vqemu_vhost_net_state {
    /** /dev/vhost-net works, and whoever can open /dev/kvm can open it. */
    VQEMU_VHOST_NET_USABLE = 1,
    /** There is no /dev/vhost-net: the kernel's module vhost_net is not loaded, or missing. */
    VQEMU_VHOST_NET_ABSENT = 2,
    /** /dev/vhost-net is there, but this process may not open it read-write. */
    VQEMU_VHOST_NET_DENIED = 3,
    /** /dev/vhost-net does not open, or does not answer. */
    VQEMU_VHOST_NET_BROKEN = 4,
    /** /dev/vhost-net works for this process, and perhaps not for others who can open /dev/kvm. */
    VQEMU_VHOST_NET_PRIVATE = 5,
    /** Nobody has looked, as on a host that is described without it. */
    VQEMU_VHOST_NET_UNSEEN = 6
};

/** The name of such a state, such as "usable"; "unknown" for other numbers. Static. Since 1.0. */
const char *vqemu_vhost_net_state_name(int32_t state);

/**
 * Probe the machine this process runs on: uname(2) for the architecture; for KVM, open /dev/kvm
 * read-write, ask its API version (12, the only stable one: Linux's Documentation/virt/kvm/api.rst)
 * and have it create a VM; on x86 also look for what serves it, which tells hardware KVM from
 * software KVM: kvm_intel or kvm_amd in /sys/module; where that is hidden, in /proc/modules; or
 * else vmx or svm among the flags of /proc/cpuinfo. For vhost-net, open /dev/vhost-net read-write
 * and ask its features.
 *
 * A host without these is an answer, not an error; that the process has no descriptors or memory
 * left to try them is an error. flags: none yet, 0. On success the caller frees *host with
 * vqemu_host_free().
 *
 * Errors: VQEMU_ERR_SYSTEM, VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_host_probe(uint32_t flags, vqemu_host **host, vqemu_error **error);

/* ---- a host that is described ---- */

/** A host's description by keys. One owner, one thread at a time. Since 1.0. */
typedef struct vqemu_host_options vqemu_host_options;

/** The architecture, a name of the table of guest architectures: "x86_64", "aarch64", ... Must be
 * set. Since 1.0. */
#define VQEMU_HOST_ARCH "arch"

/** How far KVM works: a name of vqemu_kvm_state_name(), such as "usable". Must be set. Since 1.0.
 */
#define VQEMU_HOST_KVM "kvm"

/** Whether VMs can use vhost-net: a name of vqemu_vhost_net_state_name(), such as "usable".
 * Default: "unseen". Since 1.0. */
#define VQEMU_HOST_VHOST_NET "vhost_net"

/** Make a description in which nothing is set. The caller frees *options with
 * vqemu_host_options_free(). Errors: VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_host_options_new(vqemu_host_options **options, vqemu_error **error);

/** Set a string by its key, one of the macros above; it is copied. NULL unsets it. Errors:
 * VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_INVALID (no such architecture or state; the detail "choices" has
 * those there are), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_host_options_set_string(vqemu_host_options *options, const char *key, const char *value,
                                  vqemu_error **error);

/** Free a description. NULL is allowed. Since 1.0. */
void vqemu_host_options_free(vqemu_host_options *options);

/**
 * Describe a host by hand: for tests, and for planning another host's work. It keeps nothing of
 * the options. flags: 0. On success the caller frees *host with vqemu_host_free().
 *
 * Errors: VQEMU_ERR_INVALID (a key is not set), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_host_new(const vqemu_host_options *options, uint32_t flags, vqemu_host **host,
                   vqemu_error **error);

/* ---- access ---- */

/** The host's architecture, such as "x86_64". Borrowed from the host; NULL for NULL. Since 1.0. */
const char *vqemu_host_arch(const vqemu_host *host);

/** How far KVM works: one of enum vqemu_kvm_state; -1 for NULL. Since 1.0. */
int32_t vqemu_host_kvm_state(const vqemu_host *host);

/** Whether KVM runs guests here, as far as can be seen: vqemu_host_kvm_state() is VQEMU_KVM_USABLE
 * or VQEMU_KVM_UNSEEN. False for NULL. Since 1.0. */
bool vqemu_host_kvm_usable(const vqemu_host *host);

/** Why KVM is or is not usable, as a phrase for people. Borrowed from the host; NULL for NULL.
 * Since 1.0. */
const char *vqemu_host_kvm_message(const vqemu_host *host);

/** Whether VMs can use vhost-net: one of enum vqemu_vhost_net_state; -1 for NULL. Since 1.0. */
int32_t vqemu_host_vhost_net_state(const vqemu_host *host);

/** Why vhost-net can or cannot be used, as a phrase for people. Borrowed from the host; NULL for
 * NULL. Since 1.0. */
const char *vqemu_host_vhost_net_message(const vqemu_host *host);

/** Free a host. NULL is allowed. Since 1.0. */
void vqemu_host_free(vqemu_host *host);

#ifdef __cplusplus
}
#endif

#endif
