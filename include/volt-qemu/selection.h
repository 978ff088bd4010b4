/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_SELECTION_H
#define VOLT_QEMU_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

#include <volt-qemu/error.h>
#include <volt-qemu/host.h>
#include <volt-qemu/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The profile chosen for a workload, with the reason, and why the others were not chosen.
 * Immutable, one owner; any number of threads may read it. It does not need its host any more.
 * Since 1.0.
 */
typedef struct vqemu_selection vqemu_selection;

/**
 * Choose the profile for a workload.
 *
 * mode: "hybrid-kvm" asks for KVM, "hybrid-emulated" for emulation. Anything else, including NULL
 * and "", means: KVM if it works on this host and serves the guest architecture, else emulation.
 * guest_arch: a name of the table; NULL or "" means the host's own.
 * guest_os: "windows" and "uefi" need UEFI firmware where KVM is used; anything else, NULL and ""
 * count as Linux.
 *
 * "hybrid-kvm" is an order: it is answered with a KVM profile even if KVM does not work at the
 * moment (the host of the choice need not be ready yet). vqemu_selection_runnable() is false then,
 * and the reason says what is wrong. A guest architecture that this host's KVM can never run is
 * refused.
 *
 * On success the caller frees *selection with vqemu_selection_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (no profile fits; the message says why), VQEMU_ERR_INVALID (unknown
 * guest architecture), VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_select(const vqemu_host *host, const char *mode, const char *guest_arch,
                 const char *guest_os, vqemu_selection **selection, vqemu_error **error);

/**
 * Choose a profile by its name instead of by workload. guest_arch as in vqemu_select(), except that
 * NULL and "" mean the host's own architecture if the profile serves it, else the first it serves.
 * No other profile is considered, so none is listed as rejected. Like vqemu_select() with
 * "hybrid-kvm", it chooses a KVM profile even if KVM does not work at the moment.
 *
 * Errors: VQEMU_ERR_INVALID (unknown profile or architecture), VQEMU_ERR_UNSUPPORTED (the profile
 * does not serve this architecture on this host), VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_select_profile(const vqemu_host *host, const char *profile, const char *guest_arch,
                         vqemu_selection **selection, vqemu_error **error);

/** The chosen profile. Since 1.0. */
const vqemu_profile *vqemu_selection_profile(const vqemu_selection *selection);

/** The guest architecture, with the default filled in. Borrowed. Since 1.0. */
const char *vqemu_selection_guest_arch(const vqemu_selection *selection);

/** The accelerator: "kvm" or "tcg". Static. Since 1.0. */
const char *vqemu_selection_accel(const vqemu_selection *selection);

/** Whether the accelerator works on the host as it is now. Since 1.0. */
bool vqemu_selection_runnable(const vqemu_selection *selection);

/**
 * Why the accelerator does not work on the host as it is now, one line for people; NULL if it does.
 * Borrowed. Since 1.0.
 */
const char *vqemu_selection_problem(const vqemu_selection *selection);

/** Why this profile was chosen, one line for people. Borrowed. Since 1.0. */
const char *vqemu_selection_reason(const vqemu_selection *selection);

/** How many profiles were considered and not chosen. Since 1.0. */
size_t vqemu_selection_rejected_count(const vqemu_selection *selection);

/** A profile that was not chosen; NULL beyond the count. Since 1.0. */
const vqemu_profile *vqemu_selection_rejected_profile(const vqemu_selection *selection,
                                                      size_t index);

/** Why it was not chosen, one line for people; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_selection_rejected_reason(const vqemu_selection *selection, size_t index);

/** Free a selection. NULL is allowed. Since 1.0. */
void vqemu_selection_free(vqemu_selection *selection);

#ifdef __cplusplus
}
#endif

#endif
