/* SPDX-License-Identifier: MIT */
#include "transfer/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest-set.h"
#include "base/error.h"
#include "base/workers.h"
#include "store/executable.h"
#include "store/guard.h"
#include "store/object.h"
#include "transfer/arriving.h"

void fetch_release(struct fetch *fetch) {
    stage_close(&fetch->stage);
    free(fetch->known);
    free(fetch->staged);
    free(fetch->travels);
    free(fetch->missing);
    free(fetch->owner);
    free(fetch->buffers);
}

/* ---- limits ---- */

int fetch_check_count(const struct fetch *fetch, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(fetch->manifest);
    size_t limit = call_max_objects(fetch->progress->call);
    if (count <= limit)
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s has %zu objects, more than the limit of %zu",
                      fetch->source->name, count, limit);
    return error_because(r, error, "too-many-files", VQEMU_DETAIL_PATH, fetch->source->name, NULL);
}

/* A sparse object can have any size, whatever it takes on a disk. */
static int check_size(struct fetch *fetch, const struct manifest_object *object, uint64_t size,
                      vqemu_error **error) {
    uint64_t limit = call_max_size(fetch->progress->call);
    uint64_t before = atomic_fetch_add(&fetch->size, size);
    if (size <= limit && before <= limit - size)
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%s is too large: with %s, what is to be copied of it has more than the %llu "
                      "bytes that are allowed",
                      fetch->source->name, object->path, (unsigned long long)limit);
    return error_because(r, error, "too-large", VQEMU_DETAIL_PATH, fetch->source->name, NULL);
}

/* ---- one object ---- */

/* Whether the store has it already, intact. */
static int is_there(struct fetch *fetch, unsigned worker, size_t index) {
    unsigned char *buffer = fetch->buffers + worker * DIGEST_READ_SIZE;
    const struct watch watch = {fetch->progress, worker};
    const struct digest *digest = &manifest_object(fetch->manifest, index)->digest;
    struct staged *staged = &fetch->staged[index];
    _cleanup_close_ int fd = -1;
    struct stat status;
    uint64_t size;
    int r = object_open(fetch->store->objects_fd, digest->hex, &fd, &status);
    if (r == 0 && !guard_trusts_owner(fetch->store->flags, &status))
        return 0;
    if (r == 0 && verified_is(&fetch->known[index], &status)) {
        staged->file = fetch->known[index];
        return 1;
    }
    if (r == 0)
        r = digest_of_fd_by(fd, buffer, &watch, &staged->digest, &size);
    if (r < 0)
        return r == -ENOMEM || r == -ECANCELED ? r : 0;
    staged->file = (struct verified){.inode = status.st_ino, .size = size};
    if (digest_equal(&staged->digest, digest))
        return 1;
    if (!fetch->only_looks)
        object_mark_damaged(fd); /* trees may be linked to it */
    return 0;
}

static void close_content(const struct fetch_content *content) {
    cleanup_close(&content->fd);
}

/* Open it, if so much is allowed. */
static int open_content(struct fetch *fetch, const struct manifest_object *object,
                        struct fetch_content *content, struct sparse_reader *reader,
                        vqemu_error **error) {
    const struct fetch_source *source = fetch->source;
    struct stat status;
    int r = source->open(source->context, object, content, error);
    if (r < 0)
        return r;
    if (fstat(content->fd, &status) < 0)
        return source->read_failed(source->context, object, errno, error);
    if (!content->is_part)
        content->size = (uint64_t)status.st_size;
    *reader = content->is_part
                  ? sparse_reader_of_part(content->fd, (off_t)content->offset, (off_t)content->size)
                  : sparse_reader_of(content->fd, &status);
    return check_size(fetch, object, content->size, error);
}

int fetch_set_mode(const struct fetch *fetch, size_t index) {
    const struct manifest_object *object = manifest_object(fetch->manifest, index);
    if (object->mode)
        return 0;
    _cleanup_close_ int fd = stage_reopen(&fetch->stage, index);
    if (fd < 0)
        return fd;
    int r = executable_is_wanted(object, fd);
    return r == 1 ? stage_set_executable(&fetch->stage, index) : r;
}

static int take(struct fetch *fetch, unsigned worker, size_t index, vqemu_error **error) {
    const struct fetch_source *source = fetch->source;
    const struct manifest_object *object = manifest_object(fetch->manifest, index);
    struct staged *staged = &fetch->staged[index];
    unsigned char *buffer = fetch->buffers + worker * DIGEST_READ_SIZE;
    const struct watch watch = {fetch->progress, worker};
    _cleanup_(close_content) struct fetch_content content = {.fd = -1};
    struct sparse_reader reader;
    bool reading_failed;
    int r = open_content(fetch, object, &content, &reader, error);
    if (r < 0)
        return r;
    int executable = executable_is_wanted(object, content.is_part ? -1 : content.fd);
    if (executable < 0)
        return source->read_failed(source->context, object, -executable, error);
    r = stage_copy(&fetch->stage, index, reader, content.size, executable, buffer, &watch,
                   object->path, staged, &reading_failed);
    if (r == 0 && content.is_part) /* it is seen when it is a file of its own */
        r = fetch_set_mode(fetch, index);
    if (r == -ECANCELED)
        return progress_given_up(fetch->progress, error);
    if (r == -EFBIG && reading_failed)
        return source->damaged(source->context, object, error);
    if (r < 0 && reading_failed)
        return source->read_failed(source->context, object, -r, error);
    if (r < 0)
        return stage_failed(&fetch->stage, -r, object->path, error);
    if (!digest_equal(&staged->digest, &object->digest))
        return source->damaged(source->context, object, error);
    fetch->travels[index] = true;
    return 0;
}

static int fetch_object(void *context, unsigned worker, size_t index, vqemu_error **error) {
    struct fetch *fetch = context;
    if (fetch->owner[index] != index)
        return 0;
    int r = is_there(fetch, worker, index);
    if (r == -ECANCELED)
        return progress_given_up(fetch->progress, error);
    if (r < 0)
        return error_no_memory(error);
    return r == 1 ? progress_advance(fetch->progress, worker,
                                     manifest_object(fetch->manifest, index)->path,
                                     fetch->staged[index].file.size, error)
                  : take(fetch, worker, index, error);
}

/* ---- all of them ---- */

static int allocate(struct fetch *fetch, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(fetch->manifest);
    fetch->threads = call_threads(fetch->progress->call);
    _cleanup_manifest_ vqemu_manifest *objects = NULL;
    verified_load(fetch->store, vqemu_manifest_digest(fetch->manifest), &objects, &fetch->known);
    if (!objects || vqemu_manifest_object_count(objects) != count) {
        free(fetch->known);
        fetch->known = calloc(count + 1, sizeof *fetch->known);
    }
    fetch->staged = calloc(count + 1, sizeof *fetch->staged);
    fetch->travels = calloc(count + 1, sizeof *fetch->travels);
    fetch->missing = calloc(count + 1, sizeof *fetch->missing);
    fetch->owner = calloc(count + 1, sizeof *fetch->owner);
    fetch->buffers = malloc(fetch->threads * DIGEST_READ_SIZE);
    return fetch->known && fetch->staged && fetch->travels && fetch->missing && fetch->owner &&
                   fetch->buffers
               ? 0
               : error_no_memory(error);
}

/* What several paths share travels once. */
static int find_owners(struct fetch *fetch) {
    _cleanup_digest_set_ struct digest_set set = {0};
    size_t count = vqemu_manifest_object_count(fetch->manifest);
    int r = manifest_add_digests(fetch->manifest, &set);
    digest_set_sort(&set);
    _cleanup_free_ size_t *first = calloc(count + 1, sizeof *first); /* index + 1 */
    if (r < 0 || !first)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct digest *digest = &manifest_object(fetch->manifest, i)->digest;
        int64_t at = digest_set_find(&set, digest->hex);
        if (!first[at])
            first[at] = i + 1;
        fetch->owner[i] = first[at] - 1;
    }
    return 0;
}

static int prepare(struct fetch *fetch, vqemu_error **error) {
    int r = allocate(fetch, error);
    return r == 0 && find_owners(fetch) < 0 ? error_no_memory(error) : r;
}

static int do_all(struct fetch *fetch, work_fn function, const char *step, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(fetch->manifest);
    int64_t total = vqemu_manifest_total_bytes(fetch->manifest);
    progress_start(fetch->progress, step, "bytes", total > 0 ? (uint64_t)total : 0);
    const struct work work = {
        .function = function,
        .context = fetch,
        .count = count,
        .chunk = stage_chunk(count, fetch->threads),
        .progress = fetch->progress,
    };
    return workers_run(&work, fetch->threads, error);
}

int fetch_objects(struct fetch *fetch, const char *step, vqemu_error **error) {
    int r = prepare(fetch, error);
    return r == 0 ? do_all(fetch, fetch_object, step, error) : r;
}

/* ---- what others stage ---- */

static int look_at_object(void *context, unsigned worker, size_t index, vqemu_error **error) {
    struct fetch *fetch = context;
    struct staged *staged = &fetch->staged[index];
    if (fetch->owner[index] != index || fetch->travels[index])
        return 0;
    int r = is_there(fetch, worker, index);
    if (r == -ECANCELED)
        return progress_given_up(fetch->progress, error);
    if (r < 0)
        return error_no_memory(error);
    fetch->missing[index] = r == 0;
    fetch->known[index] = r == 1 ? staged->file : (struct verified){0};
    return progress_advance(fetch->progress, worker, manifest_object(fetch->manifest, index)->path,
                            r == 1 ? staged->file.size : 0, error);
}

int fetch_find_missing(struct fetch *fetch, vqemu_error **error) {
    int r = fetch->owner ? 0 : prepare(fetch, error);
    return r == 0 ? do_all(fetch, look_at_object, "verify", error) : r;
}

void fetch_note_staged(struct fetch *fetch, size_t index) {
    fetch->travels[index] = true;
    fetch->missing[index] = false;
}

/* ---- publishing ---- */

int fetch_publish_objects(struct fetch *fetch, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(fetch->manifest);
    int r = stage_sync(&fetch->stage, error);
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (!fetch->travels[i])
            continue;
        r = stage_publish(&fetch->stage, i, &fetch->staged[i],
                          manifest_object(fetch->manifest, i)->path, error);
        fetch->travels[i] = r < 0;
        fetch->known[i] = fetch->staged[i].file;
    }
    return r == 0 ? stage_sync_objects(&fetch->stage, error) : r;
}

int fetch_open_object(void *context, size_t index) {
    const struct fetch *fetch = context;
    size_t owner = fetch->owner[index];
    struct stat status;
    int fd;
    if (fetch->travels[owner])
        return stage_reopen(&fetch->stage, owner);
    int r = object_open(fetch->store->objects_fd,
                        manifest_object(fetch->manifest, index)->digest.hex, &fd, &status);
    return r < 0 ? r : fd;
}

int fetch_publish(struct fetch *fetch, const char *profile, const char *text,
                  const struct signature_set *signatures, vqemu_ingest **ingest,
                  vqemu_error **error) {
    _cleanup_(stage_release_profile) struct stage_profile staged = {
        .name = profile,
        .staged = fetch->staged,
        .count = vqemu_manifest_object_count(fetch->manifest),
        .manifest = vqemu_manifest_ref(fetch->manifest),
        .text = text,
    };
    const struct arriving_proof proof = {
        .store = fetch->store, .text = text, .signatures = signatures};
    int r = arriving_keep_signatures(&proof, profile, fetch->manifest, fetch->trust,
                                     fetch->progress, error);
    if (r == 0)
        r = fetch_publish_objects(fetch, error);
    for (size_t i = 0; r == 0 && i < staged.count; i++)
        fetch->staged[i].file = fetch->staged[fetch->owner[i]].file;
    return r == 0
               ? stage_publish_profile(&fetch->stage, &staged, fetch->progress->call, ingest, error)
               : r;
}
