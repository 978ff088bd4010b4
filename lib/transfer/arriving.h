/* SPDX-License-Identifier: MIT */
/*
 * What comes from elsewhere with a manifest: whether it is what the caller wants. Whoever made it
 * does not choose alone what it displaces.
 */
#ifndef LIB_ARRIVING_H
#define LIB_ARRIVING_H

#include "base/progress.h"
#include "store/ingest-options.h"
#include "store/manifest.h"
#include "store/store.h"
#include "trust/signature-set.h"

struct arriving {
    const char *kind, *name;             /* "the archive", "x.tar" */
    const vqemu_manifest *manifest;      /* NULL if there is none */
    const vqemu_ingest_options *options; /* or NULL */
    bool any_profile;
};

/* By what it is trusted. */
struct arriving_proof {
    const vqemu_store *store; /* that it comes to */
    const char *text;         /* of the manifest */
    const char *oci_digest;   /* or NULL */
    const struct signature_set *signatures;
};

/* The profile that the manifest says; NULL if it says none. */
const char *arriving_profile(const struct arriving *arriving);

/*
 * Whether the manifest is the one that options name by digest, of the profile that they name, of a
 * time that may be, and describes a profile. *profile: which one; it belongs to the manifest or the
 * options. VQEMU_ERR_CORRUPT (reason "digest-differs"), VQEMU_ERR_INVALID (reasons "no-profile",
 * "other-profile", "described-already", "from-the-future").
 */
int arriving_check(const struct arriving *arriving, const char **profile, vqemu_error **error);

/*
 * Whether it is signed as the options, and the store, ask for: before anything else of it is taken.
 * profile: whose version it is to be. VQEMU_ERR_UNTRUSTED.
 */
int arriving_check_trust(const struct arriving *arriving, const struct arriving_proof *proof,
                         const char *profile, vqemu_error **error);

/* Have the signatures in the store before the revision that they are of appears. own: whom the
 * caller trusts, or NULL. */
int arriving_keep_signatures(const struct arriving_proof *proof, const char *profile,
                             const vqemu_manifest *manifest, const vqemu_trust *own,
                             struct vqemu_progress *progress, vqemu_error **error);

#endif
