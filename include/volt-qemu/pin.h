/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_PIN_H
#define VOLT_QEMU_PIN_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Pins keep revisions in the store, with their trees and objects: they are neither collected nor
 * removed as long as anybody pins them. Each pin has a holder, who alone takes it back. Pins
 * outlive the process that made them, and a power cut.
 */

/**
 * Pin a revision. If this holder has pinned it before, nothing changes.
 *
 * revision: its name, such as "kvm-linux-8e1e73bc". holder: who it is for, "<kind>:<name>", such as
 * "unit:volt-web": letters, digits and ._@- in the kind, also : in the name, and at most 128 bytes
 * in all; NULL or "" for the one pin that has no holder. flags: 0. Waits until no collection runs,
 * as long as call allows.
 *
 * Errors: VQEMU_ERR_NO_REVISION, VQEMU_ERR_INVALID (not the form of a revision's name, or of a
 * holder: reason "bad-holder"), VQEMU_ERR_MALFORMED (the revision is broken), VQEMU_ERR_REFUSED
 * (reason "untrusted-store": the revision's manifest is another user's, or others may write to it),
 * VQEMU_ERR_READ_ONLY, VQEMU_ERR_BUSY, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE
 * (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread.
 * Since 1.0.
 */
int vqemu_store_pin(vqemu_store *store, const char *revision, const char *holder, uint32_t flags,
                    vqemu_call *call, vqemu_error **error);

/**
 * Undo vqemu_store_pin() by the same holder; the pins of others stay. That there is no such pin is
 * no error, if there is such a revision. Also for pins of revisions that are gone. flags: 0.
 * Errors: as of vqemu_store_pin(). Safe from any thread. Since 1.0.
 */
int vqemu_store_unpin(vqemu_store *store, const char *revision, const char *holder, uint32_t flags,
                      vqemu_call *call, vqemu_error **error);

/** Pins, by the names of revisions and then of holders. Immutable. Since 1.0. */
typedef struct vqemu_pin_list vqemu_pin_list;

/**
 * List the pins of a revision, or all if that is NULL. There may be pins of revisions that somebody
 * has removed by hand. flags: 0. The caller frees *list with vqemu_pin_list_free().
 *
 * Errors: VQEMU_ERR_INVALID (not the form of a revision's name), VQEMU_ERR_CANCELLED,
 * VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_list_pins(vqemu_store *store, const char *revision, uint32_t flags,
                          vqemu_call *call, vqemu_pin_list **list, vqemu_error **error);

/** How many there are. Since 1.0. */
size_t vqemu_pin_list_count(const vqemu_pin_list *list);

/** The name of the revision that is pinned. Borrowed from the list; NULL beyond the count. Since
 * 1.0. */
const char *vqemu_pin_list_revision_name(const vqemu_pin_list *list, size_t index);

/** Who pins it; NULL for the pin without a holder, and beyond the count. Borrowed from the list.
 * Since 1.0. */
const char *vqemu_pin_list_holder(const vqemu_pin_list *list, size_t index);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_pin_list_free(vqemu_pin_list *list);

#ifdef __cplusplus
}
#endif

#endif
