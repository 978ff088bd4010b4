/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_SELECTION_H
#define VOLT_QEMU_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>
#include <volt-qemu/host.h>
#include <volt-qemu/profile.h>
#include <volt-qemu/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The profile chosen for a workload, and messages that say why, and why the others were not chosen.
 * Immutable, one owner; any number of threads may read it. It does not need its host any more.
 * Since 1.0.
 */
typedef struct vqemu_selection vqemu_selection;

/**
 * Choose the profile for a request on a host. Both stay as they are: one request serves for several
 * hosts. flags: none yet, 0.
 *
 * A profile fits if it runs guests of the architecture, has the abilities that are needed, and its
 * accelerator is that which was ordered or, without an order, works on the host. Where several fit,
 * KVM is preferred to emulation, then a profile of the table to one that only the store describes,
 * and then what has the least besides what is needed.
 *
 * On success the caller frees *selection with vqemu_selection_free().
 *
 * Errors: VQEMU_ERR_UNSUPPORTED (no profile fits; the message says why not, for each),
 * VQEMU_ERR_NO_REVISION (one fits, but the store of the request has no revision of it; reason
 * "profile-not-in-store", with the detail "profile"), VQEMU_ERR_INVALID (no such profile, or the
 * request contradicts itself), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Safe from any thread.
 * Since 1.0.
 */
int vqemu_select(const vqemu_host *host, const vqemu_request *request, uint32_t flags,
                 vqemu_selection **selection, vqemu_error **error);

/** The chosen profile. Borrowed: a caller that keeps it takes a reference. NULL for NULL.
 * Since 1.0.
 */
vqemu_profile *vqemu_selection_profile(const vqemu_selection *selection);

/** The guest architecture, with the default filled in. Borrowed; NULL for NULL. Since 1.0. */
const char *vqemu_selection_guest_arch(const vqemu_selection *selection);

/** The accelerator: "kvm" or "tcg". Static; NULL for NULL. Since 1.0. */
const char *vqemu_selection_accel(const vqemu_selection *selection);

/** Whether the accelerator works on the host as it is now; false for NULL. Since 1.0. */
bool vqemu_selection_runnable(const vqemu_selection *selection);

/**
 * Why the accelerator does not work on the host as it is now, one line for people; NULL if it does.
 * Borrowed. Since 1.0.
 */
const char *vqemu_selection_problem(const vqemu_selection *selection);

/** Why this profile was chosen, one line for people. Borrowed; NULL for NULL. Since 1.0. */
const char *vqemu_selection_message(const vqemu_selection *selection);

/** How many profiles were considered and not chosen; 0 for NULL. Since 1.0. */
size_t vqemu_selection_rejected_count(const vqemu_selection *selection);

/** A profile that was not chosen; NULL beyond the count. Borrowed. Since 1.0. */
vqemu_profile *vqemu_selection_rejected_profile(const vqemu_selection *selection, size_t index);

/** Why it was not chosen, one line for people; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_selection_rejected_message(const vqemu_selection *selection, size_t index);

/** Free a selection. NULL is allowed. Since 1.0. */
void vqemu_selection_free(vqemu_selection *selection);

#ifdef __cplusplus
}
#endif

#endif
