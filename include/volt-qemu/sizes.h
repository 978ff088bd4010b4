/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_SIZES_H
#define VOLT_QEMU_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What revisions take on disk, and what of it they share, as it was found at one time. Immutable:
 * any number of threads may read it. Since 1.0. */
typedef struct vqemu_size_list vqemu_size_list;

/**
 * Find out what the objects of revisions take on disk, and with which others these are shared.
 *
 * profile: whose revisions are told; NULL for all. Shared is what any other revision of the store
 * has as well, whether that is told or not. flags: 0. Sizes are in bytes: what the file system says
 * that a file takes (st_blocks of stat(2)), holes not counted. Each object counts once, however
 * many files of a revision have its content, together with its second inode of the other mode
 * class, if there is one. Of trees, whose files are links to objects, and of manifests nothing is
 * counted. Waits until no collection runs, as long as call allows.
 *
 * On success the caller frees *list with vqemu_size_list_free().
 *
 * Errors: VQEMU_ERR_INVALID (no profile can have this name), VQEMU_ERR_SYSTEM (an object cannot be
 * looked at; the message and the details have its path), VQEMU_ERR_BUSY, VQEMU_ERR_CANCELLED,
 * VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. A
 * revision that is broken is no error: see vqemu_size_list_is_complete(). Safe from any thread.
 * Since 1.0.
 */
int vqemu_store_list_sizes(vqemu_store *store, const char *profile, uint32_t flags,
                           vqemu_call *call, vqemu_size_list **list, vqemu_error **error);

/** How many revisions it tells of. They are in the order of vqemu_store_list_revisions().
 * Since 1.0. */
size_t vqemu_size_list_count(const vqemu_size_list *list);

/** Whether all revisions of the store could be read. False if one is broken, told or not: what
 * seems to be another's own may be of it as well, and what it alone has is in no sum. The log has
 * the event "revision-broken" then. Since 1.0. */
bool vqemu_size_list_is_complete(const vqemu_size_list *list);

/** What the objects of all revisions of the store take, each once: those of revisions that are not
 * told, too. -1 for NULL. Since 1.0. */
int64_t vqemu_size_list_total_bytes(const vqemu_size_list *list);

/** The name of the revision. NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_size_list_revision_name(const vqemu_size_list *list, size_t index);

/** What all of its objects take. -1 for a broken revision, of which that is not known, and beyond
 * the count. Since 1.0. */
int64_t vqemu_size_list_bytes(const vqemu_size_list *list, size_t index);

/** What those of its objects take that no other revision has, and that collecting it would free.
 * -1 as above. Since 1.0. */
int64_t vqemu_size_list_own_bytes(const vqemu_size_list *list, size_t index);

/** What those of its objects take that another revision has, too. -1 as above. Since 1.0. */
int64_t vqemu_size_list_shared_bytes(const vqemu_size_list *list, size_t index);

/** How many of its objects the store does not have; they are in no sum. -1 as above. Since 1.0. */
int64_t vqemu_size_list_missing_count(const vqemu_size_list *list, size_t index);

/** With how many other revisions it shares something that takes room. 0 beyond the count.
 * Since 1.0. */
size_t vqemu_size_list_sharer_count(const vqemu_size_list *list, size_t index);

/** The name of one of them; those with which it shares most come first. NULL beyond the counts.
 * Borrowed. Since 1.0. */
const char *vqemu_size_list_sharer_name(const vqemu_size_list *list, size_t index, size_t sharer);

/** What the objects take that it shares with this one; an object that more than two revisions have
 * counts for each of them. -1 beyond the counts. Since 1.0. */
int64_t vqemu_size_list_sharer_bytes(const vqemu_size_list *list, size_t index, size_t sharer);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_size_list_free(vqemu_size_list *list);

#ifdef __cplusplus
}
#endif

#endif
