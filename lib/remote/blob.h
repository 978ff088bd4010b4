/* SPDX-License-Identifier: MIT */
/* Manifests and small blobs of a repository, as texts that are verified. */
#ifndef LIB_BLOB_H
#define LIB_BLOB_H

#include "remote/session.h"
#include "transfer/oci-manifest.h"

#define USUAL_TAG "latest"

/* Whether a reference is a digest, and not a tag; and whether it can be one of both:
 * VQEMU_ERR_INVALID, reason "tag". */
bool blob_is_digest(const char *reference);
int blob_check_reference(const char *reference, vqemu_error **error);

/* The path of a blob there, and of a manifest; NULL without memory. Owned by the caller. */
char *blob_target(const vqemu_remote *remote, const struct digest *digest);
char *blob_manifest_target(const vqemu_remote *remote, const char *reference);

/*
 * Fetch a manifest by its tag, or by "sha256:" and its digest. *text is owned by the caller.
 * VQEMU_ERR_NOT_FOUND (reasons "no-manifest", "no-repository"), VQEMU_ERR_CORRUPT (reason
 * "blob-damaged").
 */
int blob_fetch_manifest(struct session *session, const char *reference, char **text,
                        struct oci_blob *blob, vqemu_error **error);

/* Whether it is the answer to HEAD of who, or before whom somebody, takes no such requests: that
 * tells nothing of what is there. */
bool blob_is_unasked(const struct answer *answer);

/* The digest of a manifest, "sha256:...", as the registry tells it without sending it; "" if it
 * does not tell. Likewise. */
int blob_ask_manifest(struct session *session, const char *reference, char digest[OCI_DIGEST_SIZE],
                      vqemu_error **error);

/* Fetch a blob; what: as people know it. Likewise. */
int blob_fetch_text(struct session *session, const struct oci_blob *blob, const char *what,
                    size_t limit, char **text, vqemu_error **error);

/* Whether the answer to a request for a blob, once that has run, is good and has filled its sink;
 * and the error if it is not. The caller has looked for SINK_WRITE_FAILED. */
int blob_check_answer(const struct session *session, const struct exchange *exchange,
                      vqemu_error **error);

#endif
