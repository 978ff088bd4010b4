/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_LAYOUT_H
#define VOLT_QEMU_LAYOUT_H

#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/ingest.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Put a revision into an OCI image layout: a directory that tools such as skopeo carry to and from
 * registries. Source of the format: the OCI image specification 1.1, image-layout.md and
 * manifest.md.
 *
 * Each object is a blob under its own digest, the revision's manifest is the config, byte for byte,
 * its signatures are blobs as well, and one OCI manifest names them. The same revision with the
 * same signatures gives the same OCI manifest. What the layout has already is not written again, if
 * it is whole; what others put into it stays.
 *
 * Where these blobs are more than VQEMU_CALL_MAX_LAYERS, objects over 256 KiB stay blobs, the
 * largest first, up to half of that number, and the others are packed: up to 128 blobs are the
 * content of objects, one behind the other, and a text names the objects in each. An object goes
 * into the pack that the first bits of its digest say, so that of the next version only packs with
 * a changed object are others.
 *
 * directory: made if it is missing; one that is neither empty nor a layout is refused, and so is
 * one in which a link would lead elsewhere. tag: under which the index has it, which then leaves
 * all other manifests; NULL for the name of the revision. flags: 0. call: may be NULL; its progress
 * has the step "export", in bytes. *digest: that of the OCI manifest, "sha256:...", which the
 * caller frees with vqemu_free(). Before the step "export", there is a step "hash" where objects
 * are packed.
 *
 * All is durable before the index names it; a failure leaves blobs that nothing names, and the next
 * call has less to do.
 *
 * Errors: VQEMU_ERR_CORRUPT (an object is missing or damaged), VQEMU_ERR_MALFORMED (broken
 * manifest; reason "no-layout": the directory is none; reason "layout-damaged": a link, or no file,
 * is in the place of one of its own), VQEMU_ERR_UNSUPPORTED (reason "layout-version"),
 * VQEMU_ERR_INVALID (reason "tag": no tag can be like this; reason "other-store": the revision is
 * of another store; reason "too-many-signatures"; reason "too-many-layers": even packed, it needs
 * more than are allowed, and nothing was written; reason "layout-too-large": too many tags for an
 * OCI index), VQEMU_ERR_NO_REVISION (the revision was removed), VQEMU_ERR_CHANGED (the revision's
 * file is not what was loaded), VQEMU_ERR_REFUSED (reason "untrusted-store": the revision's
 * manifest is another user's, or others may write to it), VQEMU_ERR_READ_ONLY (the file system of
 * the layout is), VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY, VQEMU_ERR_NO_STORE (it
 * was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread. Since
 * 1.0.
 */
int vqemu_store_export_layout(vqemu_store *store, const char *directory,
                              const vqemu_revision *revision, const char *tag, uint32_t flags,
                              vqemu_call *call, char **digest, vqemu_error **error);

/**
 * Take a revision in from an OCI image layout. Only objects that the store lacks, or has damaged,
 * are read; each is verified, and the revision is the same as in the store that it came from.
 *
 * version: a tag, or the digest of an OCI manifest ("sha256:..."), for which no tag can pass; NULL
 * for the only one. options
 * say which profile may be taken, as for vqemu_store_import(): by VQEMU_INGEST_PROFILE, by
 * VQEMU_INGEST_DIGEST, or by the flag VQEMU_IMPORT_ANY_PROFILE, and then options may be NULL.
 *
 * Blobs must be regular files of the size that the OCI manifest tells. flags: an OR of enum
 * vqemu_import_flag. call: may be NULL; its progress has the step "import", in bytes of the
 * profile. On success the caller frees *ingest with vqemu_ingest_free(). Nothing of what is refused
 * stays.
 *
 * Errors: VQEMU_ERR_NOT_FOUND (no directory; reason "no-manifest": no such tag or digest),
 * VQEMU_ERR_MALFORMED (a broken layout, index, OCI manifest or manifest; reasons "no-layout" and
 * "layout-damaged"),
 * VQEMU_ERR_UNSUPPORTED (reason "layout-version"; reason "not-a-profile": something else, such as a
 * container image; reason "unknown-layer": of a newer version), VQEMU_ERR_CORRUPT (reason
 * "blob-damaged": a blob is missing, no file, or other than its digest says; reason
 * "digest-differs"), VQEMU_ERR_INVALID (reason "which-one": there are several; reasons
 * "other-profile", "no-profile", "described-already", "from-the-future", "too-many-files",
 * "too-large", "too-many-signatures", and "not-whole": VQEMU_IMPORT_WHOLE), VQEMU_ERR_UNTRUSTED
 * (see vqemu_trust), VQEMU_ERR_READ_ONLY, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY,
 * VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe
 * from any thread. Since 1.0.
 */
int vqemu_store_import_layout(vqemu_store *store, const char *directory, const char *version,
                              const vqemu_ingest_options *options, uint32_t flags, vqemu_call *call,
                              vqemu_ingest **ingest, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
