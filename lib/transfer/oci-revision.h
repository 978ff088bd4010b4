/* SPDX-License-Identifier: MIT */
/* A revision that goes out as an OCI artifact, into a layout or to a registry. */
#ifndef LIB_OCI_REVISION_H
#define LIB_OCI_REVISION_H

#include "base/progress.h"
#include "store/revision.h"
#include "transfer/oci-manifest.h"

struct oci_revision {
    vqemu_store *store;
    const vqemu_revision *revision;
    const vqemu_manifest *manifest;
    char *text; /* of the manifest, which is the config */
    struct signature_set signatures;
    const struct manifest_object **objects; /* one path for each content, by digest */
    size_t object_count;
    struct oci_manifest oci; /* what is empty is not in it: it is made where it is wanted */
    char *pack_index_text;   /* NULL if there are no packs */
};

/*
 * Load it: what belongs to it, and how large that is. VQEMU_ERR_CORRUPT if an object is missing, is
 * none, or is empty and should not be; whether it is intact is not looked at.
 */
int oci_revision_load(struct oci_revision *out, vqemu_store *store, const vqemu_revision *revision,
                      vqemu_call *call, vqemu_error **error);

/*
 * If it has more layers than the call allows, put objects into packs. They are read, and verified,
 * for the digests of these, which is a step "hash" of progress. VQEMU_ERR_INVALID (reason
 * "too-many-layers").
 */
int oci_revision_pack(struct oci_revision *out, struct vqemu_progress *progress,
                      vqemu_error **error);

/* Its OCI manifest; the text is owned by the caller. */
int oci_revision_describe(const struct oci_revision *out, char **text, struct oci_blob *blob,
                          vqemu_error **error);

void oci_revision_release(struct oci_revision *out);

/* The bytes of all blobs that are of objects. */
uint64_t oci_revision_size(const struct oci_revision *out);

/* The path that stands for an object, which is one of the revision's. */
const struct manifest_object *oci_revision_find(const struct oci_revision *out,
                                                const struct digest *digest);

/* Open an object for reading. */
int oci_revision_open_object(const struct oci_revision *out, const struct manifest_object *object,
                             int *fd, struct stat *status, vqemu_error **error);

/* The error for one whose content has another digest. */
int oci_revision_damaged(const struct oci_revision *out, const struct manifest_object *object,
                         vqemu_error **error);

/* ---- the content of packs ---- */

/* Reading a pack, whose number is that in oci.packed. */
struct pack_reader {
    const struct oci_revision *out;
    size_t pack, next; /* the object that comes next */
    int fd;            /* that of the object at hand; -1 for none */
    uint64_t left;     /* of it */
    struct digest_state state;
};

void pack_reader_begin(struct pack_reader *reader, const struct oci_revision *out, size_t pack);

/*
 * The next bytes of it: how many, 0 at the end, or an error. Each object is verified when its last
 * byte has been read: before that, nobody may take the pack for good.
 */
ssize_t pack_reader_read(struct pack_reader *reader, void *bytes, size_t size, vqemu_error **error);

/* The path of the object at hand, for progress. */
const char *pack_reader_item(const struct pack_reader *reader);

void pack_reader_end(struct pack_reader *reader);
#define _cleanup_pack_reader_ __attribute__((cleanup(pack_reader_end)))

#endif
