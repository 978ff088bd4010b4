/* SPDX-License-Identifier: MIT */
#include "transfer/oci-blob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/word.h"

void oci_digest_to_text(const struct digest *digest, char text[OCI_DIGEST_SIZE]) {
    snprintf(text, OCI_DIGEST_SIZE, OCI_DIGEST_ALGORITHM "%s", digest->hex);
}

bool oci_digest_of_text(const char *text, struct digest *digest) {
    return begins_with(text, OCI_DIGEST_ALGORITHM) &&
           digest_parse(text + strlen(OCI_DIGEST_ALGORITHM), digest);
}

static int compare(const void *a, const void *b) {
    const struct oci_blob *x = a, *y = b;
    return strcmp(x->digest.hex, y->digest.hex);
}

void oci_blobs_sort(struct oci_blob *blobs, size_t count) {
    if (count > 0)
        qsort(blobs, count, sizeof *blobs, compare);
}

const struct oci_blob *oci_blobs_find(const struct oci_blob *blobs, size_t count,
                                      const struct digest *digest) {
    const struct oci_blob wanted = {.digest = *digest};
    return count == 0 ? NULL : bsearch(&wanted, blobs, count, sizeof *blobs, compare);
}
