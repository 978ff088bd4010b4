/* SPDX-License-Identifier: MIT */
#ifndef LIB_TRUST_H
#define LIB_TRUST_H

#include "trust/evidence.h"
#include "util/cleanup.h"

/*
 * Whether what is signed may be trusted: a good signature by one of the keys, and the verifier, if
 * there is one, does not refuse; or the verifier says so alone. Notes in the evidence whose
 * signature is good.
 *
 * VQEMU_ERR_UNTRUSTED (reasons "unsigned", "untrusted-key", "bad-signature", "no-key",
 * "verifier-refuses"), VQEMU_ERR_NO_MEMORY.
 */
int trust_check(const vqemu_trust *trust, struct vqemu_evidence *evidence, vqemu_error **error);

/* Which key has made a signature of what is judged, by its number; *key: -1 for none of them.
 * Returns 0 or -ENOMEM. */
int trust_find_signer(const vqemu_trust *trust, const struct vqemu_evidence *evidence,
                      const struct signed_by *item, int32_t *key);

DEFINE_CLEANUP(vqemu_trust, trust, vqemu_trust_unref);
#define _cleanup_trust_ _cleanup_(cleanup_trust)

#endif
