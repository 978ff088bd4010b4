/* SPDX-License-Identifier: MIT */
/* A revision -> an OCI layout. */
#include <volt-qemu/layout.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/object.h"
#include "store/revision.h"
#include "store/signatures.h"
#include "transfer/oci-layout.h"
#include "util/export.h"

struct exporting {
    vqemu_store *store;
    const vqemu_revision *revision;
    const vqemu_manifest *manifest;
    int lock_fd; /* holds the store against collection */
    char *text;  /* of the manifest */
    struct signature_set signatures;
    struct oci_layout layout;
    struct oci_manifest oci;
    const struct manifest_object **objects; /* as oci.objects: one for each content */
    struct vqemu_progress progress;
};

static void release_exporting(struct exporting *exporting) {
    cleanup_close(&exporting->lock_fd);
    free(exporting->text);
    signature_set_release(&exporting->signatures);
    oci_layout_close(&exporting->layout);
    oci_manifest_release(&exporting->oci);
    free(exporting->objects);
}

/* ---- which objects ---- */

static int compare_digests(const void *a, const void *b) {
    const struct manifest_object *const *x = a, *const *y = b;
    return strcmp((*x)->digest.hex, (*y)->digest.hex);
}

/* One path for each content, by digest. */
static int list_objects(struct exporting *exporting, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(exporting->manifest), kept = 0;
    exporting->objects = calloc(count + 1, sizeof *exporting->objects);
    exporting->oci.objects = calloc(count + 1, sizeof *exporting->oci.objects);
    if (!exporting->objects || !exporting->oci.objects)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        exporting->objects[i] = manifest_object(exporting->manifest, i);
    qsort(exporting->objects, count, sizeof *exporting->objects, compare_digests);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 ||
            !digest_equal(&exporting->objects[kept - 1]->digest, &exporting->objects[i]->digest))
            exporting->objects[kept++] = exporting->objects[i];
    exporting->oci.object_count = kept;
    return 0;
}

/* ---- one object ---- */

static int write_failed(const struct exporting *exporting, const struct manifest_object *object,
                        int r, vqemu_error **error) {
    if (r == -ECANCELED)
        return progress_given_up(&exporting->progress, error);
    return oci_layout_failed(&exporting->layout, &object->digest, -r, "cannot write", error);
}

static int damaged(const struct exporting *exporting, const struct manifest_object *object,
                   vqemu_error **error) {
    return revision_object_damaged(exporting->store, exporting->revision, object,
                                   "is damaged: its content has another digest", "", error);
}

/* What was written is read again: then it is what its name says, on that disk. */
static int write_blob(struct exporting *exporting, const struct manifest_object *object, int from,
                      struct oci_new_blob *blob, vqemu_error **error) {
    const struct watch watch = {&exporting->progress, 0};
    enum object_copy how;
    struct digest digest;
    uint64_t size;
    int r = object_copy_content(from, blob->fd, &watch, &how);
    if (r == 0 && lseek(blob->fd, 0, SEEK_SET) < 0)
        r = -errno;
    if (r == 0)
        r = digest_of_fd(blob->fd, &watch, &digest, &size);
    if (r < 0)
        return write_failed(exporting, object, r, error);
    if (!digest_equal(&digest, &object->digest))
        return damaged(exporting, object, error);
    r = oci_layout_complete(&exporting->layout, blob, &object->digest);
    return r < 0 ? write_failed(exporting, object, r, error) : 0;
}

static int add_blob(struct exporting *exporting, const struct manifest_object *object, int from,
                    const struct oci_blob *wanted, vqemu_error **error) {
    const struct watch watch = {&exporting->progress, 0};
    struct oci_new_blob blob = OCI_NEW_BLOB_NONE;
    int r = oci_layout_has(&exporting->layout, wanted, &watch);
    if (r == 0)
        r = oci_layout_begin(&exporting->layout, &blob);
    if (r < 0)
        r = write_failed(exporting, object, r, error);
    else if (r == 0)
        r = write_blob(exporting, object, from, &blob, error);
    oci_layout_drop(&exporting->layout, &blob);
    return r < 0 ? r : 0;
}

static int add_object(struct exporting *exporting, size_t index, vqemu_error **error) {
    const struct manifest_object *object = exporting->objects[index];
    struct oci_blob *blob = &exporting->oci.objects[index];
    _cleanup_close_ int fd = -1;
    struct stat status;
    int r = object_open(exporting->store->objects_fd, object->digest.hex, &fd, &status);
    if (r < 0)
        return revision_object_failed(exporting->store, exporting->revision, object, -r, "", error);
    *blob = (struct oci_blob){object->digest, (uint64_t)status.st_size};
    r = blob->size > 0 ? add_blob(exporting, object, fd, blob, error) : 0;
    return r == 0 ? progress_advance(&exporting->progress, 0, object->path, blob->size, error) : r;
}

/* ---- all of it ---- */

static int open_exporting(struct exporting *exporting, const char *directory, vqemu_error **error) {
    int64_t total;
    size_t size;
    int r = revision_check_store(exporting->store, exporting->revision, error);
    if (r == 0 && !exporting->manifest)
        r = revision_broken(exporting->revision, error);
    if (r == 0)
        r = store_lock_shared(exporting->store, &exporting->progress, &exporting->lock_fd, error);
    if (r == 0)
        r = revision_read_text(exporting->store, exporting->revision, &exporting->text, &size,
                               error);
    if (r == 0)
        r = signatures_load(exporting->store, vqemu_revision_name(exporting->revision),
                            exporting->progress.call, &exporting->signatures, NULL, error);
    if (r == 0)
        r = list_objects(exporting, error);
    if (r < 0)
        return r;
    total = vqemu_manifest_total_bytes(exporting->manifest);
    progress_start(&exporting->progress, "export", "bytes", total > 0 ? (uint64_t)total : 0);
    return oci_layout_open(directory, true, &exporting->progress, &exporting->layout, error);
}

static int add_signatures(struct exporting *exporting, vqemu_error **error) {
    const struct signature_set *set = &exporting->signatures;
    struct oci_manifest *oci = &exporting->oci;
    int r = 0;
    oci->signatures = calloc(set->count + 1, sizeof *oci->signatures);
    if (!oci->signatures)
        return error_no_memory(error);
    for (; r == 0 && oci->signature_count < set->count; oci->signature_count++) {
        const struct signed_by *item = &set->items[oci->signature_count];
        r = oci_layout_add_text(&exporting->layout, item->bytes, item->size,
                                &oci->signatures[oci->signature_count], error);
    }
    return r;
}

/* The config and signatures, then the OCI manifest, then the index. */
static int finish(struct exporting *exporting, const char *tag, char **digest,
                  vqemu_error **error) {
    const char *name = vqemu_revision_name(exporting->revision);
    _cleanup_free_ char *text = NULL, *told = malloc(OCI_DIGEST_SIZE);
    struct oci_blob manifest;
    if (!told)
        return error_no_memory(error);
    int r = oci_layout_add_text(&exporting->layout, exporting->text, strlen(exporting->text),
                                &exporting->oci.config, error);
    if (r == 0)
        r = add_signatures(exporting, error);
    if (r == 0)
        r = oci_manifest_to_text(&exporting->oci, name, exporting->manifest, &text, error);
    if (r == 0)
        r = oci_layout_add_text(&exporting->layout, text, strlen(text), &manifest, error);
    if (r == 0)
        r = oci_layout_tag(&exporting->layout, &manifest, tag ? tag : name, error);
    if (r < 0)
        return r;
    oci_digest_to_text(&manifest.digest, told);
    *digest = TAKE_POINTER(told);
    return 0;
}

static int check_tag(const char *tag, vqemu_error **error) {
    const char *fault = tag ? oci_layout_find_tag_fault(tag) : NULL;
    if (!fault)
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "the tag \"%.200s\" cannot be: a tag %s", tag,
                      fault);
    return error_because(r, error, "tag", VQEMU_DETAIL_VALUE, tag, NULL);
}

VQEMU_EXPORT int vqemu_store_export_layout(vqemu_store *store, const vqemu_revision *revision,
                                           const char *directory, const char *tag, uint32_t flags,
                                           vqemu_call *call, char **digest, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(digest, error);
    *digest = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_ARGUMENT(directory, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_(release_exporting) struct exporting exporting = {
        .store = store,
        .revision = revision,
        .manifest = vqemu_revision_manifest(revision),
        .lock_fd = -1,
        .layout = OCI_LAYOUT_NONE,
        .progress = {.call = call, .phase_count = 1},
    };
    int r = check_tag(tag, error);
    if (r == 0)
        r = open_exporting(&exporting, directory, error);
    for (size_t i = 0; r == 0 && i < exporting.oci.object_count; i++)
        r = add_object(&exporting, i, error);
    return r == 0 ? finish(&exporting, tag, digest, error) : r;
}
