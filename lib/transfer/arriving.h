/* SPDX-License-Identifier: MIT */
/*
 * What comes from elsewhere with a manifest: whether it is what the caller wants. Whoever made it
 * does not choose alone what it displaces.
 */
#ifndef LIB_ARRIVING_H
#define LIB_ARRIVING_H

#include "store/ingest-options.h"
#include "store/manifest.h"

struct arriving {
    const char *kind, *name; /* "the archive", "x.tar" */
    const vqemu_manifest *manifest;
    const vqemu_ingest_options *options; /* or NULL */
    bool any_profile;
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

#endif
