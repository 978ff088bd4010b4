/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_REQUEST_H
#define VOLT_QEMU_REQUEST_H

#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/store.h>
#include <volt-qemu/vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What a profile is wanted for: the input of vqemu_select().
 *
 * In a new one nothing is set, which asks for a Linux guest of the host's own architecture, as fast
 * as it can be had. What is set by key wins over what a VM says, whichever is set first; the VM
 * itself must then be changed before a command is built, see vqemu_command_build(). One owner; any
 * number of threads may select with it while nobody changes it. Since 1.0.
 */
typedef struct vqemu_request vqemu_request;

/** Make one. The caller frees *request with vqemu_request_free(). Errors: VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_request_new(vqemu_request **request, vqemu_error **error);

/** Free a request. NULL is allowed. Since 1.0. */
void vqemu_request_free(vqemu_request *request);

/* ---- by key ---- */

/**
 * The accelerator: "kvm" or "tcg". "" (or not set, and no mode either): KVM if it works on this
 * host, serves the guest architecture and has a profile that fits, else TCG, which is emulation.
 *
 * "kvm" is an order: it is answered with a KVM profile even if KVM does not work at the moment (the
 * host of the choice need not be ready yet). vqemu_selection_runnable() is false then, and
 * vqemu_selection_problem() says what is wrong. A guest architecture that this host's KVM can never
 * run is refused. Since 1.0.
 */
#define VQEMU_REQUEST_ACCEL "accel"

/** The same in other words: "hybrid-kvm" orders KVM, "hybrid-emulated" emulation; "" neither.
 * Since 1.0. */
#define VQEMU_REQUEST_MODE "mode"

/** The guest architecture, a name of the table (vqemu_guest_arch_at()). "" or not set: the host's
 * own; for a profile by name that does not serve it, the first that it serves. Since 1.0. */
#define VQEMU_REQUEST_GUEST_ARCH "guest_arch"

/** What the guest is, in the words of a VM's key of this name: "linux" (also "", or not set),
 * "other", or "windows", which needs UEFI firmware. Since 1.0. */
#define VQEMU_REQUEST_GUEST_OS "guest_os"

/**
 * A profile by its name, instead of by what the guest needs. No other profile is
 * considered, so none is listed as rejected, and what a VM or guest OS needs is not looked at. Like
 * an order of KVM it gives a KVM profile even if KVM does not work at the moment. Since 1.0.
 */
#define VQEMU_REQUEST_PROFILE "profile"

/**
 * Set a string by its key, one of the macros above; it is copied. NULL unsets it.
 *
 * Errors: VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_INVALID (none of the words above; the detail "choices"
 * has those there are), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_request_set_string(vqemu_request *request, const char *key, const char *value,
                             vqemu_error **error);

/**
 * Require abilities, an OR of enum vqemu_ability, besides those that the guest OS and a VM need; 0
 * for none. Also a profile by name must have these. Errors: VQEMU_ERR_USAGE (also for bits that
 * this version does not know). Since 1.0.
 */
int vqemu_request_set_abilities(vqemu_request *request, uint64_t abilities, vqemu_error **error);

/* ---- by what there is ---- */

/**
 * Ask for what a VM needs: its keys guest_arch, profile, mode and guest_os, and the abilities for
 * its firmware, disks, network devices, display, USB and TPM. They are copied as they are now; what
 * an earlier VM needed is forgotten. flags: 0.
 *
 * Errors: VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_request_set_vm(vqemu_request *request, const vqemu_vm *vm, uint32_t flags,
                         vqemu_error **error);

/**
 * Choose only among the profiles that have a revision in a store, its own ones included; see
 * vqemu_store_list_profiles(). They are copied as they are now. If none of them fits but another
 * one would, selection fails with VQEMU_ERR_NO_REVISION. flags: 0. call: may
 * be NULL.
 *
 * Errors: VQEMU_ERR_REFUSED, as of vqemu_store_list_profiles(), VQEMU_ERR_CANCELLED,
 * VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_request_set_store(vqemu_request *request, vqemu_store *store, uint32_t flags,
                            vqemu_call *call, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
