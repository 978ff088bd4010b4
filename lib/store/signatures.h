/* SPDX-License-Identifier: MIT */
/*
 * The signatures of revisions: files signatures/<revision>/<SHA-256 of the signature>, beside the
 * objects. They are there before their revision appears, and go after it.
 */
#ifndef LIB_SIGNATURES_H
#define LIB_SIGNATURES_H

#include "store/revision.h"
#include "trust/trust.h"
#include "util/strv.h"

/*
 * Those of a revision; none where none were written down. What is damaged is passed over: its paths
 * are added to damaged, or told to the log if that is NULL. VQEMU_ERR_INVALID, with the reason
 * "too-many-signatures", for more than SIGNATURES_MAX.
 */
int signatures_load(const vqemu_store *store, const char *revision, vqemu_call *call,
                    struct signature_set *set, struct strv *damaged, vqemu_error **error);

/* Add those that it has not, durably. The caller holds the store against collection. */
int signatures_keep(const vqemu_store *store, const char *revision, const struct signature_set *set,
                    struct vqemu_progress *progress, vqemu_error **error);

/* The same of those that came with it, in its evidence, for which there may be no room: see
 * signature-choice.h. own: whom the caller trusts, beside the store; or NULL. */
int signatures_keep_arrived(const vqemu_store *store, const char *revision,
                            const struct vqemu_evidence *evidence, const vqemu_trust *own,
                            struct vqemu_progress *progress, vqemu_error **error);

/* Remove a signature by the name of its file. Likewise. */
int signatures_drop(const vqemu_store *store, const char *revision, const char *digest,
                    struct vqemu_progress *progress, vqemu_error **error);

/* Whether a revision may be trusted, by these signatures or all that it has; *key: whose is good,
 * -1 for none. */
int signatures_check_these(const vqemu_store *store, const vqemu_revision *revision,
                           const struct signature_set *set, const vqemu_trust *trust, int32_t *key,
                           vqemu_error **error);
int signatures_check(const vqemu_store *store, const vqemu_revision *revision,
                     const vqemu_trust *trust, vqemu_call *call, int32_t *key, vqemu_error **error);

/*
 * Forget those whose revisions are gone, for certain also after a power cut, and what was left of
 * others that were being written. Only for who holds the store alone. What cannot be removed does
 * no harm.
 */
void signatures_sweep(const vqemu_store *store);

#endif
