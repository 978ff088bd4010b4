/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_USES_H
#define VOLT_QEMU_USES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What uses the revisions and trees of a store, as it was found at one time. Immutable. Since 1.0.
 */
typedef struct vqemu_use_list vqemu_use_list;

/**
 * Find who uses what: the processes that run from trees, have their working directory there or hold
 * something there open; leases (vqemu_runtime_lease_fd()); pins; the revisions that were set to be
 * used (vqemu_store_set_current()); and the links <profile>. That is what keeps revisions from
 * being collected or removed, beside being the newest.
 *
 * name: a revision or a profile, whose uses are told; NULL for all, also of trees whose revision is
 * gone. flags: 0. Processes are found by /proc: also those that know the store by another name, as
 * in a container that it was mounted into. Of processes that may not be looked into, which are
 * those of other users unless one is privileged (CAP_SYS_PTRACE), only what their arguments say is
 * known: see vqemu_use_list_is_complete(). The calling process is not told, but for its leases.
 * Waits until no collection runs, as long as call allows.
 *
 * On success the caller frees *list with vqemu_use_list_free().
 *
 * Errors: VQEMU_ERR_NO_REVISION, VQEMU_ERR_INVALID (name is neither), VQEMU_ERR_SYSTEM (reason
 * "no-proc": there is no /proc, or it is not the kernel's), VQEMU_ERR_MALFORMED (the revision that
 * was named is broken, or what is set to be used: reason "current-broken"), VQEMU_ERR_REFUSED
 * (reason "untrusted-store": a manifest, or the file that says which revision is used, is another
 * user's, or others may write to it), VQEMU_ERR_BUSY, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT,
 * VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Safe from any thread.
 * Since 1.0.
 */
int vqemu_store_list_uses(vqemu_store *store, const char *name, uint32_t flags, vqemu_call *call,
                          vqemu_use_list **list, vqemu_error **error);

/** How many uses there are. Since 1.0. */
size_t vqemu_use_list_count(const vqemu_use_list *list);

/**
 * Whether all processes could be looked into. False if some may not be, or if there may be some
 * that this process does not see at all, because it is in a PID namespace of its own, or because of
 * how /proc is mounted. The log has the events "process-unreadable" and "processes-hidden" then.
 * Since 1.0.
 */
bool vqemu_use_list_is_complete(const vqemu_use_list *list);

/** The kind of a use: "process", "lease", "pin", "current" or "link"; later versions may have more.
 * NULL beyond the count. Static. Since 1.0. */
const char *vqemu_use_list_kind(const vqemu_use_list *list, size_t index);

/** The name of the tree, which is the digest of its revision's manifest, or another name if it was
 * replaced while it was used; NULL if it is not known, and beyond the count. Borrowed. Since 1.0.
 */
const char *vqemu_use_list_tree_name(const vqemu_use_list *list, size_t index);

/** The name of the revision; NULL if the store has none of that tree, and beyond the count.
 * Borrowed. Since 1.0. */
const char *vqemu_use_list_revision_name(const vqemu_use_list *list, size_t index);

/** The process, of a process or lease; 0 if it is not known, for other kinds, and beyond the
 * count. Since 1.0. */
int64_t vqemu_use_list_pid(const vqemu_use_list *list, size_t index);

/** Its name as in /proc/PID/comm; NULL if it is not known, and beyond the count. Borrowed.
 * Since 1.0.
 */
const char *vqemu_use_list_process_name(const vqemu_use_list *list, size_t index);

/** The name of the VM, if the arguments of the process say one; else NULL, as beyond the count.
 * Borrowed. Since 1.0. */
const char *vqemu_use_list_vm_name(const vqemu_use_list *list, size_t index);

/** The holder of a pin; NULL for one without, for other kinds, and beyond the count. Borrowed.
 * Since 1.0. */
const char *vqemu_use_list_holder(const vqemu_use_list *list, size_t index);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_use_list_free(vqemu_use_list *list);

#ifdef __cplusplus
}
#endif

#endif
