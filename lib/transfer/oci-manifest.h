/* SPDX-License-Identifier: MIT */
/*
 * A revision as an OCI artifact (image-spec 1.1, manifest.md): the config is its manifest, byte for
 * byte, so that the config's digest is the revision's; the layers are signatures of that manifest,
 * then the objects, one for each content, by digest, then an index of packs and the packs, if there
 * are more objects than registries take layers. What is empty has no layer, since some registries
 * take no empty blobs.
 */
#ifndef LIB_OCI_MANIFEST_H
#define LIB_OCI_MANIFEST_H

#include <stdint.h>

#include "base/json.h"
#include "store/manifest.h"
#include "transfer/oci-blob.h"
#include "transfer/pack-index.h"
#include "trust/signature-set.h"

#define OCI_MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define OCI_PROFILE_TYPE "application/vnd.volt-qemu.profile.v1"
#define OCI_CONFIG_TYPE OCI_PROFILE_TYPE "+json"
#define OCI_OBJECT_TYPE "application/vnd.volt-qemu.object.v1"
#define OCI_SIGNATURE_TYPE "application/vnd.volt-qemu.signature.v1"
#define OCI_PACK_INDEX_TYPE "application/vnd.volt-qemu.pack-index.v1"
#define OCI_PACK_TYPE "application/vnd.volt-qemu.pack.v1"

/* Registries promise to take 4 MiB (distribution-spec); readers of others refuse more. */
#define OCI_MANIFEST_MAX ((size_t)4 * 1024 * 1024)

struct oci_manifest {
    struct oci_blob config;
    struct oci_blob *signatures, *objects, *packs; /* the latter by digest once they were read */
    size_t signature_count, object_count, pack_count;
    struct oci_blob pack_index; /* of size 0 if there are no packs */
    struct pack_index packed;   /* what that says, once it was read */
};

void oci_manifest_release(struct oci_manifest *manifest);
#define _cleanup_oci_manifest_ __attribute__((cleanup(oci_manifest_release)))

/*
 * The text of it, with the same bytes each time; owned by the caller. revision: its name. profile:
 * its manifest, of which annotations tell.
 */
int oci_manifest_to_text(const struct oci_manifest *manifest, const char *revision,
                         const vqemu_manifest *profile, char **text, vqemu_error **error);

/*
 * Read one. source: where it is from, for messages. object_max: how many objects, size_max: how
 * many bytes all blobs together may have.
 *
 * Errors: VQEMU_ERR_MALFORMED (what the specification or this library does not allow),
 * VQEMU_ERR_UNSUPPORTED (reason "not-a-profile": something else than a profile; reason
 * "unknown-layer": a layer of a newer version), VQEMU_ERR_INVALID (reasons "too-many-files" and
 * "too-large").
 */
int oci_manifest_load(const char *text, size_t size, const char *source, size_t object_max,
                      uint64_t size_max, struct oci_manifest *manifest, vqemu_error **error);

/*
 * Where there are packs: read the text of their index, which has been found to have the digest of
 * pack_index, and compare it with the layers. source and object_max: as above, and so are errors.
 */
int oci_manifest_load_packs(struct oci_manifest *manifest, const char *text, const char *source,
                            size_t object_max, vqemu_error **error);

/* Where the content of an object is: a whole blob, or a part of a pack. */
struct oci_place {
    struct oci_blob blob;
    bool is_packed;
    uint64_t offset, size; /* of the object in the blob */
};

/* Find that; false if it is nowhere. */
bool oci_manifest_locate(const struct oci_manifest *manifest, const struct digest *digest,
                         struct oci_place *place);

/* A descriptor of a blob; NULL without memory. */
json_t *oci_descriptor_to_json(const char *type, const struct oci_blob *blob);

/* Of a descriptor, as it stands in a manifest or index: its blob. name: what it is, for messages,
 * such as "config" or "layers[3]". */
int oci_descriptor_load(const json_t *descriptor, const char *source, const char *name,
                        struct oci_blob *blob, vqemu_error **error);

#endif
