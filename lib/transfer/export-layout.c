/* SPDX-License-Identifier: MIT */
/* A revision -> an OCI layout. */
#include <volt-qemu/layout.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/object.h"
#include "transfer/oci-revision.h"
#include "transfer/oci-layout.h"
#include "util/export.h"
#include "util/fd.h"

struct exporting {
    int lock_fd; /* holds the store against collection */
    struct oci_revision out;
    char *oci_text;           /* of the OCI manifest, */
    struct oci_blob oci_blob; /* and what it is as a blob */
    struct oci_layout layout;
    unsigned char *buffer; /* of DIGEST_READ_SIZE bytes */
    struct vqemu_progress progress;
};

static void release_exporting(struct exporting *exporting) {
    cleanup_close(&exporting->lock_fd);
    oci_revision_release(&exporting->out);
    free(exporting->oci_text);
    oci_layout_close(&exporting->layout);
    free(exporting->buffer);
}

/* ---- blobs ---- */

static int write_failed(const struct exporting *exporting, const struct oci_blob *blob, int r,
                        vqemu_error **error) {
    if (r == -ECANCELED)
        return progress_given_up(&exporting->progress, error);
    return oci_layout_failed(&exporting->layout, &blob->digest, -r, "cannot write", error);
}

/* Begin one, unless it is there: 1 then. */
static int begin_blob(struct exporting *exporting, const struct oci_blob *wanted,
                      struct oci_new_blob *blob, vqemu_error **error) {
    const struct watch watch = {&exporting->progress, 0};
    int r = oci_layout_has(&exporting->layout, wanted, &watch);
    if (r == 0)
        r = oci_layout_begin(&exporting->layout, blob);
    return r < 0 ? write_failed(exporting, wanted, r, error) : r;
}

/* What was written is read again: then it is what its name says, on that disk. Returns whether it
 * is, or a negative errno. */
static int complete_blob(struct exporting *exporting, const struct oci_blob *wanted,
                         struct oci_new_blob *blob) {
    const struct watch watch = {&exporting->progress, 0};
    struct digest digest;
    uint64_t size;
    if (lseek(blob->fd, 0, SEEK_SET) < 0)
        return -errno;
    int r = digest_of_fd_by(blob->fd, exporting->buffer, &watch, &digest, &size);
    if (r < 0 || !digest_equal(&digest, &wanted->digest))
        return r;
    r = oci_layout_complete(&exporting->layout, blob, &wanted->digest);
    return r < 0 ? r : 1;
}

/* ---- one object ---- */

static int write_object(struct exporting *exporting, const struct manifest_object *object,
                        const struct oci_blob *wanted, struct oci_new_blob *blob,
                        vqemu_error **error) {
    const struct watch watch = {&exporting->progress, 0};
    _cleanup_close_ int fd = -1;
    enum object_copy how;
    struct stat status;
    int r = oci_revision_open_object(&exporting->out, object, &fd, &status, error);
    if (r < 0)
        return r;
    r = object_copy_content(fd, blob->fd, &watch, &how);
    if (r == 0)
        r = complete_blob(exporting, wanted, blob);
    if (r < 0)
        return write_failed(exporting, wanted, r, error);
    return r == 1 ? 0 : oci_revision_damaged(&exporting->out, object, error);
}

static int add_object(struct exporting *exporting, const struct oci_blob *wanted,
                      vqemu_error **error) {
    const struct manifest_object *object = oci_revision_find(&exporting->out, &wanted->digest);
    struct oci_new_blob blob = OCI_NEW_BLOB_NONE;
    int r = begin_blob(exporting, wanted, &blob, error);
    if (r == 0)
        r = write_object(exporting, object, wanted, &blob, error);
    oci_layout_drop(&exporting->layout, &blob);
    return r < 0 ? r : progress_advance(&exporting->progress, 0, object->path, wanted->size, error);
}

/* ---- one pack ---- */

static int write_pack(struct exporting *exporting, size_t pack, struct oci_new_blob *blob,
                      vqemu_error **error) {
    const struct oci_blob *wanted = &exporting->out.oci.packed.packs[pack];
    const struct watch watch = {&exporting->progress, 0};
    _cleanup_pack_reader_ struct pack_reader reader;
    int r = 0;
    ssize_t n;
    pack_reader_begin(&reader, &exporting->out, pack);
    while ((n = pack_reader_read(&reader, exporting->buffer, DIGEST_READ_SIZE, error)) > 0) {
        r = write_all(blob->fd, exporting->buffer, (size_t)n);
        if (r == 0)
            r = watch_poll(&watch);
        if (r < 0)
            return write_failed(exporting, wanted, r, error);
    }
    if (n < 0)
        return (int)n;
    r = complete_blob(exporting, wanted, blob);
    if (r < 0)
        return write_failed(exporting, wanted, r, error);
    return r == 1 ? 0
                  : oci_layout_damaged(&exporting->layout, &wanted->digest, "a pack",
                                       "is not read as it was written", error);
}

static int add_pack(struct exporting *exporting, size_t pack, vqemu_error **error) {
    const struct oci_blob *wanted = &exporting->out.oci.packed.packs[pack];
    struct oci_new_blob blob = OCI_NEW_BLOB_NONE;
    int r = begin_blob(exporting, wanted, &blob, error);
    if (r == 0)
        r = write_pack(exporting, pack, &blob, error);
    oci_layout_drop(&exporting->layout, &blob);
    return r < 0 ? r : progress_advance(&exporting->progress, 0, "", wanted->size, error);
}

/* ---- the whole ---- */

static int add_content(struct exporting *exporting, vqemu_error **error) {
    const struct oci_manifest *oci = &exporting->out.oci;
    int r = 0;
    progress_start(&exporting->progress, "export", "bytes", oci_revision_size(&exporting->out));
    for (size_t i = 0; r == 0 && i < oci->object_count; i++)
        r = add_object(exporting, &oci->objects[i], error);
    for (size_t i = 0; r == 0 && i < oci->packed.pack_count; i++)
        r = add_pack(exporting, i, error);
    return r;
}

static int add_text(const struct exporting *exporting, const char *text, size_t size,
                    vqemu_error **error) {
    struct oci_blob blob;
    return oci_layout_add_text(&exporting->layout, text, size, &blob, error);
}

/* What tells of the content, the OCI manifest last. */
static int add_texts(const struct exporting *exporting, vqemu_error **error) {
    const struct oci_revision *out = &exporting->out;
    const struct signature_set *set = &out->signatures;
    int r = add_text(exporting, out->text, strlen(out->text), error);
    for (size_t i = 0; r == 0 && i < set->count; i++)
        r = add_text(exporting, set->items[i].bytes, set->items[i].size, error);
    if (r == 0 && out->pack_index_text)
        r = add_text(exporting, out->pack_index_text, strlen(out->pack_index_text), error);
    return r == 0 ? add_text(exporting, exporting->oci_text, strlen(exporting->oci_text), error)
                  : r;
}

/* All that is told of it is known before its first byte is written. */
static int open_exporting(struct exporting *exporting, vqemu_store *store,
                          const vqemu_revision *revision, const char *directory,
                          vqemu_error **error) {
    struct vqemu_progress *progress = &exporting->progress;
    struct oci_revision *out = &exporting->out;
    int r = store_lock_shared(store, progress, &exporting->lock_fd, error);
    if (r == 0)
        r = oci_revision_load(out, store, revision, progress->call, error);
    if (r == 0)
        r = oci_revision_pack(out, progress, error);
    if (r == 0)
        r = oci_revision_describe(out, &exporting->oci_text, &exporting->oci_blob, error);
    return r == 0 ? oci_layout_open(directory, true, progress, &exporting->layout, error) : r;
}

VQEMU_EXPORT int vqemu_store_export_layout(vqemu_store *store, const char *directory,
                                           const vqemu_revision *revision, const char *tag,
                                           uint32_t flags, vqemu_call *call, char **digest,
                                           vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(digest, error);
    *digest = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_ARGUMENT(directory, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_free_ char *told = malloc(OCI_DIGEST_SIZE);
    _cleanup_(release_exporting) struct exporting exporting = {
        .lock_fd = -1,
        .layout = OCI_LAYOUT_NONE,
        .buffer = malloc(DIGEST_READ_SIZE),
        .progress = {.call = call, .phase_count = 1},
    };
    int r = told && exporting.buffer ? oci_layout_check_tag(tag, error) : error_no_memory(error);
    if (r == 0)
        r = open_exporting(&exporting, store, revision, directory, error);
    if (r == 0)
        r = add_content(&exporting, error);
    if (r == 0)
        r = add_texts(&exporting, error);
    if (r == 0)
        r = oci_layout_tag(&exporting.layout, &exporting.oci_blob,
                           tag ? tag : vqemu_revision_name(revision), error);
    if (r < 0)
        return r;
    oci_digest_to_text(&exporting.oci_blob.digest, told);
    *digest = TAKE_POINTER(told);
    return 0;
}
