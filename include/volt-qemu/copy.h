/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_COPY_H
#define VOLT_QEMU_COPY_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a copy from store to store did. Immutable, one owner. Since 1.0. */
typedef struct vqemu_copy vqemu_copy;

/**
 * Copy a revision and the objects that it needs into another store. Only what that store lacks, or
 * has damaged, travels; every object is verified on the way. The revision is the same there: same
 * name, same digest.
 *
 * revision: of the store from. The threads are those of the store to. progress may be NULL;
 * userdata is handed to it: step "copy", in bytes of the profile. On success the caller frees *copy
 * with vqemu_copy_free().
 *
 * Errors: VQEMU_ERR_CORRUPT (an object of the store from is missing or damaged), VQEMU_ERR_INVALID
 * (both are the same store), VQEMU_ERR_CHANGED (the revision's file is not what was loaded),
 * VQEMU_ERR_MALFORMED, VQEMU_ERR_READ_ONLY, VQEMU_ERR_CANCELLED, VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_copy(vqemu_store *from, vqemu_revision *revision, vqemu_store *to,
                     vqemu_step_fn progress, void *userdata, vqemu_copy **copy,
                     vqemu_error **error);

/** The revision in the other store. Borrowed. Since 1.0. */
vqemu_revision *vqemu_copy_revision(const vqemu_copy *copy);

/** How many objects travelled. Since 1.0. */
size_t vqemu_copy_objects(const vqemu_copy *copy);

/** How many bytes travelled. Since 1.0. */
uint64_t vqemu_copy_bytes(const vqemu_copy *copy);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_copy_free(vqemu_copy *copy);

#ifdef __cplusplus
}
#endif

#endif
