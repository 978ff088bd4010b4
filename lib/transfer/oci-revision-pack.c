/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "transfer/oci-revision.h"
#include "transfer/pack-choice.h"
#include "util/fd.h"

/* ---- the content of one ---- */

void pack_reader_begin(struct pack_reader *reader, const struct oci_revision *out, size_t pack) {
    const struct pack_index *packed = &out->oci.packed;
    *reader = (struct pack_reader){.out = out, .pack = pack, .fd = -1};
    while (packed->objects[reader->next].pack != pack)
        reader->next++;
}

void pack_reader_end(struct pack_reader *reader) {
    cleanup_close(&reader->fd);
    reader->fd = -1;
}

/* The one that comes next; NULL at the end. */
static const struct packed_object *next_object(const struct pack_reader *reader) {
    const struct pack_index *packed = &reader->out->oci.packed;
    const struct packed_object *object = &packed->objects[reader->next];
    return reader->next < packed->object_count && object->pack == reader->pack ? object : NULL;
}

static const struct manifest_object *path_of(const struct pack_reader *reader) {
    const struct packed_object *packed = &reader->out->oci.packed.objects[reader->next];
    return oci_revision_find(reader->out, &packed->digest);
}

const char *pack_reader_item(const struct pack_reader *reader) {
    return next_object(reader) ? path_of(reader)->path : "";
}

static int open_next(struct pack_reader *reader, vqemu_error **error) {
    const struct packed_object *object = next_object(reader);
    struct stat status;
    int r = oci_revision_open_object(reader->out, path_of(reader), &reader->fd, &status, error);
    if (r < 0)
        return r;
    if ((uint64_t)status.st_size != object->size) /* it was changed since */
        return oci_revision_damaged(reader->out, path_of(reader), error);
    digest_start(&reader->state);
    reader->left = object->size;
    return 0;
}

/* With the object at hand, all of which has been read. */
static int finish_object(struct pack_reader *reader, vqemu_error **error) {
    const struct digest digest = digest_finish(&reader->state);
    pack_reader_end(reader);
    if (!digest_equal(&digest, &next_object(reader)->digest))
        return oci_revision_damaged(reader->out, path_of(reader), error);
    reader->next++;
    return 0;
}

static ssize_t read_object(struct pack_reader *reader, void *bytes, size_t size,
                           vqemu_error **error) {
    if (size > reader->left)
        size = (size_t)reader->left;
    ssize_t n = read_some(reader->fd, bytes, size);
    if (n < 0)
        return revision_object_failed(reader->out->store, reader->out->revision, path_of(reader),
                                      (int)-n, "", error);
    if (n == 0) /* it has become shorter */
        return oci_revision_damaged(reader->out, path_of(reader), error);
    digest_add(&reader->state, bytes, (size_t)n);
    reader->left -= (uint64_t)n;
    return n;
}

ssize_t pack_reader_read(struct pack_reader *reader, void *bytes, size_t size,
                         vqemu_error **error) {
    int r = 0;
    if (reader->fd < 0 && !next_object(reader))
        return 0;
    if (reader->fd < 0)
        r = open_next(reader, error);
    ssize_t n = r == 0 ? read_object(reader, bytes, size, error) : r;
    if (n > 0 && reader->left == 0)
        r = finish_object(reader, error);
    return r < 0 ? r : n;
}

/* ---- all of them ---- */

/* The digest of a pack, with each object in it verified. */
static int hash_pack(struct oci_revision *out, size_t pack, unsigned char *buffer,
                     struct vqemu_progress *progress, vqemu_error **error) {
    _cleanup_pack_reader_ struct pack_reader reader;
    struct digest_state state;
    digest_start(&state);
    pack_reader_begin(&reader, out, pack);
    for (;;) {
        const char *item = pack_reader_item(&reader);
        ssize_t n = pack_reader_read(&reader, buffer, DIGEST_READ_SIZE, error);
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        digest_add(&state, buffer, (size_t)n);
        int r = progress_advance(progress, 0, item, (uint64_t)n, error);
        if (r < 0)
            return r;
    }
    out->oci.packed.packs[pack].digest = digest_finish(&state);
    return 0;
}

static int list_packs(struct oci_revision *out, vqemu_error **error) {
    struct oci_manifest *oci = &out->oci;
    size_t count = oci->packed.pack_count;
    out->pack_index_text = pack_index_to_text(&oci->packed);
    oci->packs = calloc(count, sizeof *oci->packs);
    if (!out->pack_index_text || !oci->packs)
        return error_no_memory(error);
    size_t size = strlen(out->pack_index_text);
    oci->pack_index =
        (struct oci_blob){digest_of_bytes(out->pack_index_text, size), (uint64_t)size};
    memcpy(oci->packs, oci->packed.packs, count * sizeof *oci->packs);
    oci_blobs_sort(oci->packs, count);
    oci->pack_count = count;
    return 0;
}

static int make_packs(struct oci_revision *out, struct vqemu_progress *progress,
                      vqemu_error **error) {
    const struct pack_index *packed = &out->oci.packed;
    _cleanup_free_ unsigned char *buffer = malloc(DIGEST_READ_SIZE);
    uint64_t size = 0;
    if (!buffer)
        return error_no_memory(error);
    for (size_t i = 0; i < packed->pack_count; i++)
        size += packed->packs[i].size;
    progress->phase_count++;
    progress_start(progress, "hash", "bytes", size);
    for (size_t i = 0; i < packed->pack_count; i++) {
        int r = hash_pack(out, i, buffer, progress, error);
        if (r < 0)
            return r;
    }
    return list_packs(out, error);
}

int oci_revision_pack(struct oci_revision *out, struct vqemu_progress *progress,
                      vqemu_error **error) {
    int r = pack_choose(&out->oci, call_max_layers(progress->call),
                        vqemu_revision_name(out->revision), error);
    return r == 0 && out->oci.packed.pack_count > 0 ? make_packs(out, progress, error) : r;
}
