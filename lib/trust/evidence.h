/* SPDX-License-Identifier: MIT */
/* What there is to judge a revision by. */
#ifndef LIB_EVIDENCE_H
#define LIB_EVIDENCE_H

#include <stdint.h>

#include <volt-qemu/trust.h>

#include "trust/signature-set.h"

struct vqemu_evidence {
    const char *source; /* what is judged, for messages: "the archive x.tar" */
    const char *profile;
    const char *text; /* of the manifest, which has this digest */
    size_t size;
    const char *digest;
    const char *oci_digest; /* NULL where there is no OCI manifest */
    const struct signature_set *signatures;
    int32_t key; /* of the trust: one that has made a good signature; -1 for none */
};

#endif
