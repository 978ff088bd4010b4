/* SPDX-License-Identifier: MIT */
#include "transfer/oci-revision.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/object.h"
#include "store/signatures.h"

void oci_revision_release(struct oci_revision *out) {
    free(out->text);
    signature_set_release(&out->signatures);
    free(out->objects);
    oci_manifest_release(&out->oci);
    free(out->pack_index_text);
    *out = (struct oci_revision){0};
}

/* ---- objects ---- */

static int compare_digests(const void *a, const void *b) {
    const struct manifest_object *const *x = a, *const *y = b;
    return strcmp((*x)->digest.hex, (*y)->digest.hex);
}

/* One path for each content, by digest. */
static int list_objects(struct oci_revision *out, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(out->manifest), kept = 0;
    const struct manifest_object **objects = calloc(count + 1, sizeof(struct manifest_object *));
    if (!objects)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        objects[i] = manifest_object(out->manifest, i);
    qsort(objects, count, sizeof(struct manifest_object *), compare_digests);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !digest_equal(&objects[kept - 1]->digest, &objects[i]->digest))
            objects[kept++] = objects[i];
    out->objects = objects;
    out->object_count = kept;
    return 0;
}

const struct manifest_object *oci_revision_find(const struct oci_revision *out,
                                                const struct digest *digest) {
    const struct manifest_object wanted = {.digest = *digest}, *key = &wanted;
    const struct manifest_object **found = bsearch(
        &key, out->objects, out->object_count, sizeof(struct manifest_object *), compare_digests);
    return *found;
}

int oci_revision_open_object(const struct oci_revision *out, const struct manifest_object *object,
                             int *fd, struct stat *status, vqemu_error **error) {
    int r = object_open(out->store->objects_fd, object->digest.hex, fd, status);
    return r < 0 ? revision_object_failed(out->store, out->revision, object, -r, "", error) : 0;
}

int oci_revision_damaged(const struct oci_revision *out, const struct manifest_object *object,
                         vqemu_error **error) {
    return revision_object_damaged(out->store, out->revision, object,
                                   "is damaged: its content has another digest", "", error);
}

static int measure_object(const struct oci_revision *out, const struct manifest_object *object,
                          struct oci_blob *blob, vqemu_error **error) {
    const struct digest empty = digest_of_bytes("", 0);
    _cleanup_close_ int fd = -1;
    struct stat status;
    int r = oci_revision_open_object(out, object, &fd, &status, error);
    if (r < 0)
        return r;
    *blob = (struct oci_blob){object->digest, (uint64_t)status.st_size};
    return (blob->size == 0) == digest_equal(&object->digest, &empty)
               ? 0
               : oci_revision_damaged(out, object, error);
}

/* What is empty does not go: it is made where it is wanted. */
static int measure_objects(struct oci_revision *out, vqemu_call *call, vqemu_error **error) {
    struct oci_manifest *oci = &out->oci;
    oci->objects = calloc(out->object_count + 1, sizeof *oci->objects);
    int r = oci->objects ? 0 : error_no_memory(error);
    for (size_t i = 0; r == 0 && i < out->object_count; i++) {
        struct oci_blob *blob = &oci->objects[oci->object_count];
        r = measure_object(out, out->objects[i], blob, error);
        if (r == 0)
            r = call_check(call, out->objects[i]->path, error);
        oci->object_count += r == 0 && blob->size > 0;
    }
    return r;
}

uint64_t oci_revision_size(const struct oci_revision *out) {
    const struct oci_manifest *oci = &out->oci;
    uint64_t size = 0;
    for (size_t i = 0; i < oci->object_count; i++)
        size += oci->objects[i].size;
    for (size_t i = 0; i < oci->pack_count; i++)
        size += oci->packs[i].size;
    return size;
}

/* ---- the rest ---- */

static int list_signatures(struct oci_revision *out, vqemu_error **error) {
    const struct signature_set *set = &out->signatures;
    struct oci_manifest *oci = &out->oci;
    oci->signatures = calloc(set->count + 1, sizeof *oci->signatures);
    if (!oci->signatures)
        return error_no_memory(error);
    for (size_t i = 0; i < set->count; i++)
        oci->signatures[oci->signature_count++] =
            (struct oci_blob){set->items[i].digest, set->items[i].size};
    return 0;
}

int oci_revision_load(struct oci_revision *out, vqemu_store *store, const vqemu_revision *revision,
                      vqemu_call *call, vqemu_error **error) {
    size_t size;
    *out = (struct oci_revision){
        .store = store, .revision = revision, .manifest = vqemu_revision_manifest(revision)};
    int r = revision_check_store(store, revision, error);
    if (r == 0 && !out->manifest)
        r = revision_broken(revision, error);
    if (r == 0)
        r = revision_read_text(store, revision, &out->text, &size, error);
    if (r < 0)
        return r;
    out->oci.config = (struct oci_blob){digest_of_bytes(out->text, size), size};
    r = signatures_load(store, vqemu_revision_name(revision), call, &out->signatures, NULL, error);
    if (r == 0)
        r = list_signatures(out, error);
    if (r == 0)
        r = list_objects(out, error);
    return r == 0 ? measure_objects(out, call, error) : r;
}

int oci_revision_describe(const struct oci_revision *out, char **text, struct oci_blob *blob,
                          vqemu_error **error) {
    int r = oci_manifest_to_text(&out->oci, vqemu_revision_name(out->revision), out->manifest, text,
                                 error);
    if (r < 0)
        return r;
    size_t size = strlen(*text);
    *blob = (struct oci_blob){digest_of_bytes(*text, size), size};
    return 0;
}
