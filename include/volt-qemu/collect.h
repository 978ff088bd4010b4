/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_COLLECT_H
#define VOLT_QEMU_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a collection removed, or would remove. Immutable, one owner. Since 1.0. */
typedef struct vqemu_collection vqemu_collection;

/** Flags for collecting. Since 1.0. */
enum vqemu_collect_flag {
    /** Remove nothing: only tell what would go. */
    VQEMU_COLLECT_DRY_RUN = 1
};

/**
 * Remove what nothing reaches: trees without a revision, objects that no revision lists, and what
 * builds and assemblies that died have left.
 *
 * keep: with 0, no revision is removed. With N, of each profile all revisions but the N newest are
 * removed first. Never removed are revisions that are pinned (vqemu_store_pin()), whose tree is
 * leased (vqemu_runtime_lease_fd()), run from, or held open by a process that this one may look
 * into, or that the link <profile> points to; nor what these reach.
 *
 * flags: an OR of enum vqemu_collect_flag. call: may be NULL; its progress has the step "collect".
 * Waits, under the step "wait", until no build, import, assembly or other collection uses the
 * store; these wait while it runs. Trees that are assembled can be resolved all the time. A
 * collection that is cancelled or killed leaves the store whole: the next one goes on.
 *
 * On success the caller frees *collection with vqemu_collection_free().
 *
 * Errors: VQEMU_ERR_MALFORMED (a revision is broken, so that what it reaches cannot be told;
 * nothing is removed then), VQEMU_ERR_USAGE, VQEMU_ERR_READ_ONLY, VQEMU_ERR_CANCELLED,
 * VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY,VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread.
 * Since 1.0.
 */
int vqemu_store_collect(vqemu_store *store, uint32_t keep, uint32_t flags, vqemu_call *call,
                        vqemu_collection **collection, vqemu_error **error);

/** How many things were removed. Since 1.0. */
size_t vqemu_collection_count(const vqemu_collection *collection);

/** What a removed thing was: "revision", "tree", "object" or "staging"; NULL beyond the count.
 * Static. Since 1.0. */
const char *vqemu_collection_kind(const vqemu_collection *collection, size_t index);

/**
 * Its name: that of the revision, the digest of the tree's manifest or of the object
 * ("alt/<digest>" for its second inode), or the path of what was being made, relative to the store;
 * NULL beyond the count. Borrowed. Since 1.0.
 */
const char *vqemu_collection_name(const vqemu_collection *collection, size_t index);

/**
 * The disk space its removal freed, in bytes; 0 beyond the count. An object that something else
 * still links frees nothing. Since 1.0.
 */
uint64_t vqemu_collection_bytes(const vqemu_collection *collection, size_t index);

/** The disk space freed in all, in bytes. Since 1.0. */
uint64_t vqemu_collection_freed_bytes(const vqemu_collection *collection);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_collection_free(vqemu_collection *collection);

/**
 * Keep a revision, its tree and its objects from being collected, until vqemu_store_unpin(). A
 * revision that is pinned already stays so. name: such as "kvm-linux-8e1e73bc".
 *
 * Errors: VQEMU_ERR_NOT_FOUND (no such revision), VQEMU_ERR_INVALID (not the form of a revision
 * name), VQEMU_ERR_MALFORMED, VQEMU_ERR_READ_ONLY, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY.
 * Since 1.0.
 */
int vqemu_store_pin(vqemu_store *store, const char *name, vqemu_error **error);

/**
 * Undo vqemu_store_pin(). A revision that is not pinned stays so. Errors: as there;
 * VQEMU_ERR_NOT_FOUND if there is neither such a pin nor such a revision. Since 1.0.
 */
int vqemu_store_unpin(vqemu_store *store, const char *name, vqemu_error **error);

/** Whether a revision is pinned. Errors: VQEMU_ERR_INVALID, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY.
 * Since 1.0. */
int vqemu_store_is_pinned(vqemu_store *store, const char *name, bool *pinned, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
