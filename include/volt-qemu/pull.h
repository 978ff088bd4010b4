/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_PULL_H
#define VOLT_QEMU_PULL_H

#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/ingest.h>
#include <volt-qemu/remote.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Flags of vqemu_store_pull(). Since 1.0. */
enum vqemu_pull_flag {
    /** As VQEMU_IMPORT_ANY_PROFILE: what comes may say itself of which profile it is. */
    VQEMU_PULL_ANY_PROFILE = 2,
    /** As VQEMU_IMPORT_WHOLE: refuse a profile whose closure has problems. */
    VQEMU_PULL_WHOLE = 1,
    /** Change nothing: find out what would travel. */
    VQEMU_PULL_DRY_RUN = 4
};

/**
 * Take a revision in from an OCI registry, as vqemu_store_import_layout() does from a layout: what
 * vqemu_store_push() or a tool such as skopeo has put there. Only objects that the store lacks, or
 * has damaged, travel, the remote's VQEMU_REMOTE_CONNECTIONS at the same time; each is verified,
 * and the revision is published last. A second call for the same revision asks for no more than its
 * OCI manifest and its manifest.
 *
 * version: a tag, or "sha256:" and the digest of an OCI manifest, for which nothing else can pass;
 * NULL for the tag "latest". A digest may also be that of the profile's manifest
 * (vqemu_revision_digest()): then the repository must have it under the revision's name, as
 * vqemu_store_push() gives it, and its profile is that of the options, or else the last part of the
 * repository's name. options say which profile may be taken, as for vqemu_store_import_layout(), or
 * flags do; and who must have signed it, which is found out before any object is fetched.
 *
 * Nobody else who uses the store waits for the network. What breaks off is continued within the
 * call. If the call fails in the middle, or is cancelled, objects that are whole stay, and those of
 * all but the last seconds also if the process is killed: the next call fetches the rest, unless a
 * collection has come before. Of what is refused for what it is (VQEMU_ERR_UNTRUSTED,
 * VQEMU_ERR_MALFORMED, VQEMU_ERR_INVALID), nothing was fetched but its manifests; only that it is
 * not whole (VQEMU_PULL_WHOLE) is found out at the end.
 *
 * flags: an OR of enum vqemu_pull_flag. With VQEMU_PULL_DRY_RUN the store may be read-only, and is
 * not changed: vqemu_ingest_new_object_count() and vqemu_ingest_new_bytes() tell what would travel,
 * and vqemu_ingest_revision() is one that the store need not have. call: may be NULL; its progress
 * has the steps "verify", for what the store has, and "pull", in bytes of what it lacks. On success
 * the caller frees *ingest with vqemu_ingest_free().
 *
 * Errors: VQEMU_ERR_NETWORK and VQEMU_ERR_DENIED, as of vqemu_remote_list_tags();
 * VQEMU_ERR_NOT_FOUND (reason "no-manifest": no such tag or digest, or it is hidden from who is not
 * logged in), VQEMU_ERR_CORRUPT (reason "blob-damaged": the registry does not have an object, or
 * sends something else than its digest says; reason "digest-differs"), VQEMU_ERR_MALFORMED (a
 * broken OCI manifest or manifest; reason "not-a-registry"), VQEMU_ERR_UNSUPPORTED (reason
 * "not-a-profile": something else, such as a container image; reasons "unknown-layer",
 * "library-missing" and "split-store"), VQEMU_ERR_INVALID (reason "tag"; reasons "other-profile",
 * "no-profile", "described-already", "from-the-future", "too-many-files", "too-large",
 * "too-many-signatures", "not-whole", "plain-login" and "missing-value"), VQEMU_ERR_UNTRUSTED (see
 * vqemu_trust), VQEMU_ERR_BUSY (also with the reason "collected-meanwhile": others go on collecting
 * what is fetched), VQEMU_ERR_READ_ONLY, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE
 * (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread.
 * Since 1.0.
 */
int vqemu_store_pull(vqemu_store *store, const vqemu_remote *remote, const char *version,
                     const vqemu_ingest_options *options, uint32_t flags, vqemu_call *call,
                     vqemu_ingest **ingest, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
