/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_PUSH_H
#define VOLT_QEMU_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/remote.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Flags of vqemu_store_push(). Since 1.0. */
enum vqemu_push_flag {
    /** Send all, also what the registry says that it has: some go on saying so when it is gone. */
    VQEMU_PUSH_FORCE = 1,
    /** Change nothing: find out what would travel. */
    VQEMU_PUSH_DRY_RUN = 2
};

/** What was put into a registry. Immutable, one owner. Since 1.0. */
typedef struct vqemu_push vqemu_push;

/**
 * Put a revision into an OCI registry, as vqemu_store_export_layout() puts it into a layout: each
 * object is a blob, the revision's manifest the config, its signatures come along, and one OCI
 * manifest names them all. The same revision with the same signatures and VQEMU_CALL_MAX_LAYERS is
 * the same OCI manifest; where the tag names that already, nothing else is asked. Only blobs that
 * the repository lacks travel, the remote's VQEMU_REMOTE_CONNECTIONS at the same time; each is
 * verified while it is sent.
 *
 * tag: NULL for "latest". The revision's name becomes a tag as well, before this one, by which
 * vqemu_store_pull() finds it by its digest. Another manifest that had the tag is left where it is.
 * Where the remote names another repository (VQEMU_REMOTE_MOUNT_FROM), what is there need not
 * travel.
 *
 * flags: an OR of enum vqemu_push_flag. call: may be NULL; its progress has the step "push", in
 * bytes of all blobs, behind "hash" if there are packs, those that need not travel among them. The
 * store may be read-only, and nobody who uses it waits for the network: if the revision is removed
 * and collected meanwhile, the call fails. The tag appears last; a failure leaves blobs that
 * nothing names, and the next call has less to do. On success the caller frees *push with
 * vqemu_push_free().
 *
 * Errors: VQEMU_ERR_NETWORK and VQEMU_ERR_DENIED, as of vqemu_remote_list_tags();
 * VQEMU_ERR_NOT_FOUND (reason "no-repository": the registry takes nothing under this name),
 * VQEMU_ERR_MALFORMED (broken manifest; reason "not-a-registry"), VQEMU_ERR_UNSUPPORTED (reason
 * "manifest-refused": the registry does not take such manifests; reason "request-too-large": or not
 * of this size; reason "library-missing"), VQEMU_ERR_CORRUPT (an object is missing or damaged),
 * VQEMU_ERR_INVALID (reasons "tag", "repository", "other-store", "too-many-signatures",
 * "layout-too-large", "too-many-layers", "plain-login" and "missing-value"), VQEMU_ERR_NO_REVISION
 * (the revision was removed), VQEMU_ERR_CHANGED (the revision's file is not what was loaded),
 * VQEMU_ERR_REFUSED (reason "untrusted-store": the revision's manifest is another user's, or others
 * may write to it), VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE (it was removed),
 * VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_push(vqemu_store *store, const vqemu_revision *revision, const vqemu_remote *remote,
                     const char *tag, uint32_t flags, vqemu_call *call, vqemu_push **push,
                     vqemu_error **error);

/** The digest of the OCI manifest, "sha256:...". Borrowed. Since 1.0. */
const char *vqemu_push_digest(const vqemu_push *push);

/** Whether the tag did not name that before. Since 1.0. */
bool vqemu_push_is_new(const vqemu_push *push);

/** How many blobs the OCI manifest names. Since 1.0. */
size_t vqemu_push_blob_count(const vqemu_push *push);

/** How many bytes these have together. Since 1.0. */
uint64_t vqemu_push_bytes(const vqemu_push *push);

/** How many of them travelled, or would travel. Since 1.0. */
size_t vqemu_push_new_blob_count(const vqemu_push *push);

/** How many bytes these have together. Since 1.0. */
uint64_t vqemu_push_new_bytes(const vqemu_push *push);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_push_free(vqemu_push *push);

/**
 * Delete a manifest of a repository, by its tag or by "sha256:..." and its digest, and with it all
 * tags that name it. What no other manifest names of its blobs, the registry may remove when it
 * collects. flags: 0. call: may be NULL; it has no progress.
 *
 * Errors: VQEMU_ERR_NETWORK and VQEMU_ERR_DENIED, as of vqemu_remote_list_tags();
 * VQEMU_ERR_NOT_FOUND (reason "no-manifest"), VQEMU_ERR_UNSUPPORTED (reason "deletes-nothing": the
 * registry does not allow it; reason "library-missing"), VQEMU_ERR_CORRUPT (reason "blob-damaged"),
 * VQEMU_ERR_MALFORMED (reason "not-a-registry"), VQEMU_ERR_INVALID (reasons "tag", "plain-login"
 * and "missing-value"), VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_remote_delete(const vqemu_remote *remote, const char *reference, uint32_t flags,
                        vqemu_call *call, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
