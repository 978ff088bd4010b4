/* SPDX-License-Identifier: MIT */
/* A profile that comes as an OCI artifact, from a layout or a registry: all of it but its objects.
 */
#ifndef LIB_OCI_PROFILE_H
#define LIB_OCI_PROFILE_H

#include "base/call.h"
#include "transfer/oci-manifest.h"

struct oci_profile {
    struct oci_manifest oci;
    char oci_digest[OCI_DIGEST_SIZE];
    vqemu_manifest *manifest;
    char *text; /* of the manifest */
    struct signature_set signatures;
};

/* Where it comes from. */
struct oci_source {
    const char *name; /* for messages */
    /* The text of a small blob, verified, for the caller to own; what: as people know it. */
    int (*read)(void *context, const struct oci_blob *blob, const char *what, size_t limit,
                char **text, vqemu_error **error);
    void *context;
};

/*
 * Read it. text: of the OCI manifest, which is this blob. Errors: those of oci_manifest_load() and
 * manifest_load_memory().
 */
int oci_profile_load(struct oci_profile *profile, const struct oci_source *source, const char *text,
                     const struct oci_blob *blob, vqemu_call *call, vqemu_error **error);

/*
 * Find out where its objects are, once it is trusted: no signature covers that. Errors: those of
 * oci_manifest_load_packs(); VQEMU_ERR_MALFORMED if one has no layer and is in no pack.
 */
int oci_profile_find_objects(struct oci_profile *profile, const struct oci_source *source,
                             vqemu_call *call, vqemu_error **error);

void oci_profile_release(struct oci_profile *profile);

#endif
