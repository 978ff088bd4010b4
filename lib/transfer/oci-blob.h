/* SPDX-License-Identifier: MIT */
/* What OCI manifests name: content, by its digest and size. */
#ifndef LIB_OCI_BLOB_H
#define LIB_OCI_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct oci_blob {
    struct digest digest;
    uint64_t size;
};

/* "sha256:" and the digits. */
#define OCI_DIGEST_ALGORITHM "sha256:"
#define OCI_DIGEST_SIZE (sizeof OCI_DIGEST_ALGORITHM + DIGEST_HEX_LENGTH)
void oci_digest_to_text(const struct digest *digest, char text[OCI_DIGEST_SIZE]);

/* False if it is none. */
bool oci_digest_of_text(const char *text, struct digest *digest);

/* By digest. */
void oci_blobs_sort(struct oci_blob *blobs, size_t count);

/* In those that are sorted; NULL if it is not there. */
const struct oci_blob *oci_blobs_find(const struct oci_blob *blobs, size_t count,
                                      const struct digest *digest);

#endif
