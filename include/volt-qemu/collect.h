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

/** What a collection keeps, by keys. One owner; not to be used by two threads at once. Since 1.0.
 */
typedef struct vqemu_collect_options vqemu_collect_options;

/** With N, of each profile all revisions but the N newest are removed. Default, and for 0: no
 * revision is removed. A number. Since 1.0. */
#define VQEMU_COLLECT_KEEP "keep"

/** New options, all unset. The caller frees them with vqemu_collect_options_free(). Errors:
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_collect_options_new(vqemu_collect_options **options, vqemu_error **error);

/** Free options. NULL is allowed. Since 1.0. */
void vqemu_collect_options_free(vqemu_collect_options *options);

/** Set one of the keys above to a number. Errors: VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_USAGE. Since
 * 1.0. */
int vqemu_collect_options_set_number(vqemu_collect_options *options, const char *key,
                                     uint64_t value, vqemu_error **error);

/** Flags for collecting. Since 1.0. */
enum vqemu_collect_flag {
    /** Remove nothing: only tell what would go. */
    VQEMU_COLLECT_DRY_RUN = 1
};

/**
 * Remove what nothing reaches: trees without a revision, objects that no revision lists, and what
 * ingests and assemblies that died have left.
 *
 * options: may be NULL, for no revision to be removed. With VQEMU_COLLECT_KEEP old ones go first,
 * but never those that are pinned (vqemu_store_pin()), whose tree is leased
 * (vqemu_runtime_lease_fd()), run from, or held open by a process that this one may look into, that
 * vqemu_store_set_current() has set, or that the link <profile> points to; nor what these reach.
 *
 * flags: an OR of enum vqemu_collect_flag. call: may be NULL; its progress has the step "collect".
 * Waits, under the step "wait", until no ingest, import, assembly or other collection uses the
 * store; these wait while it runs. Trees that are assembled can be resolved all the time. A
 * collection that is cancelled or killed leaves the store whole: the next one goes on.
 *
 * On success the caller frees *collection with vqemu_collection_free().
 *
 * Errors: VQEMU_ERR_MALFORMED (a revision is broken, so that what it reaches cannot be told;
 * nothing is removed then), VQEMU_ERR_REFUSED (reason "untrusted-store": a manifest, or the file
 * that says which revision is used, is another user's, or others may write to it; nothing is
 * removed then), VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_READ_ONLY,
 * VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY.
 * Safe from any thread. Since 1.0.
 */
int vqemu_store_collect(vqemu_store *store, const vqemu_collect_options *options, uint32_t flags,
                        vqemu_call *call, vqemu_collection **collection, vqemu_error **error);

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

/**
 * How many revisions and trees stayed because something keeps them. Since 1.0.
 */
size_t vqemu_collection_kept_count(const vqemu_collection *collection);

/** What stayed: "revision", or "tree" for one whose revision is gone; NULL beyond the count.
 * Static. Since 1.0. */
const char *vqemu_collection_kept_kind(const vqemu_collection *collection, size_t index);

/** The name of the revision, or of the tree; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_collection_kept_name(const vqemu_collection *collection, size_t index);

/**
 * Why it stayed, for people, with all that keeps it, separated by ", ": "all stay" (without
 * VQEMU_COLLECT_KEEP), "newest", "current", "pinned", "pinned by unit:volt-web", "used by process
 * 123 (qemu-system-x86) of VM web", "leased", "linked". Later versions may have more;
 * vqemu_store_list_uses() is for programs. NULL beyond the count. Borrowed. Since 1.0.
 */
const char *vqemu_collection_kept_message(const vqemu_collection *collection, size_t index);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_collection_free(vqemu_collection *collection);

/**
 * Remove one revision, by its name: its manifest, its tree, and the link to that. Its objects stay
 * until the next collection. Works for a revision that is broken, too.
 *
 * flags: 0. Waits as vqemu_store_collect() does. One that is killed leaves the store whole: either
 * the revision is there, or the next collection removes what is left of it.
 *
 * Errors: VQEMU_ERR_BUSY (reason "in-use": its tree is leased, or a process runs from it or holds
 * it open; details: revision and, if they are known, process (its number), process_name, vm; reason
 * "pinned", details: revision and, if it has one, holder; reason "current":
 * vqemu_store_set_current() set it; reason "locked": the store is in use for longer than call
 * allows), VQEMU_ERR_NO_REVISION, VQEMU_ERR_INVALID (not the form of a revision's name),
 * VQEMU_ERR_MALFORMED (reason "current-broken"), VQEMU_ERR_REFUSED (reason "untrusted-store": a
 * manifest, or the file that says which revision is used, is another user's, or others may write to
 * it), VQEMU_ERR_SYSTEM (reason "no-proc": who uses it cannot be told), VQEMU_ERR_READ_ONLY,
 * VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_remove_revision(vqemu_store *store, const char *name, uint32_t flags,
                                vqemu_call *call, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
