/* SPDX-License-Identifier: MIT */
/* A revision of one store -> another store. */
#include <volt-qemu/copy.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest-set.h"
#include "base/error.h"
#include "base/workers.h"
#include "choice/profile.h"
#include "store/creation-time.h"
#include "store/executable.h"
#include "store/guard.h"
#include "store/object.h"
#include "store/revision.h"
#include "store/stage.h"
#include "util/export.h"
#include "util/strbuf.h"

/* A copy under way. */
struct copying {
    vqemu_store *from, *to;
    const vqemu_revision *revision;
    const vqemu_manifest *manifest;
    char *text;
    int from_lock_fd;
    struct stage stage;     /* also holds the lock of the store it goes to */
    struct verified *known; /* what that store has verified already */
    struct staged *staged;  /* for each object of the manifest */
    bool *travels;          /* likewise */
    size_t *owner;          /* likewise: the first object with the same content */
    unsigned threads;
    unsigned char *buffers;
    atomic_uint_least64_t size; /* of what travels */
    struct vqemu_progress progress;
};

static void release_copying(struct copying *copying) {
    stage_close(&copying->stage);
    cleanup_close(&copying->from_lock_fd);
    free(copying->text);
    free(copying->known);
    free(copying->staged);
    free(copying->travels);
    free(copying->owner);
    free(copying->buffers);
}

/* ---- one object ---- */

/* Whether the store has it already, intact. */
static int is_there(struct copying *copying, unsigned worker, size_t index) {
    unsigned char *buffer = copying->buffers + worker * DIGEST_READ_SIZE;
    const struct watch watch = {&copying->progress, worker};
    const struct digest *digest = &manifest_object(copying->manifest, index)->digest;
    struct staged *staged = &copying->staged[index];
    _cleanup_close_ int fd = -1;
    struct stat status;
    uint64_t size;
    int r = object_open(copying->to->objects_fd, digest->hex, &fd, &status);
    if (r == 0 && !guard_trusts_owner(copying->to->flags, &status))
        return 0;
    if (r == 0 && verified_is(&copying->known[index], &status)) {
        staged->file = copying->known[index];
        return 1;
    }
    if (r == 0)
        r = digest_of_fd_by(fd, buffer, &watch, &staged->digest, &size);
    if (r < 0)
        return r == -ENOMEM || r == -ECANCELED ? r : 0;
    staged->file = (struct verified){.inode = status.st_ino, .size = size};
    if (digest_equal(&staged->digest, digest))
        return 1;
    object_mark_damaged(fd); /* trees may be linked to it */
    return 0;
}

#define HELPS " and copy again"

static int read_failed(const struct copying *copying, const struct manifest_object *object,
                       int system_errno, vqemu_error **error) {
    return revision_object_failed(copying->from, copying->revision, object, system_errno, HELPS,
                                  error);
}

/* A sparse object can have any size, whatever its store takes on a disk. */
static int check_size(struct copying *copying, const struct manifest_object *object, uint64_t size,
                      vqemu_error **error) {
    uint64_t limit = call_max_size(copying->progress.call);
    uint64_t before = atomic_fetch_add(&copying->size, size);
    if (size <= limit && before <= limit - size)
        return 0;
    int r =
        error_set(error, VQEMU_ERR_INVALID, 0,
                  "%s is too large: with %s, what is to be copied of it has more than the %llu "
                  "bytes that are allowed",
                  vqemu_revision_path(copying->revision), object->path, (unsigned long long)limit);
    return error_because(r, error, "too-large", VQEMU_DETAIL_PATH,
                         vqemu_revision_path(copying->revision), NULL);
}

static int fetch(struct copying *copying, unsigned worker, size_t index, vqemu_error **error) {
    const struct manifest_object *object = manifest_object(copying->manifest, index);
    struct staged *staged = &copying->staged[index];
    unsigned char *buffer = copying->buffers + worker * DIGEST_READ_SIZE;
    const struct watch watch = {&copying->progress, worker};
    _cleanup_close_ int fd = -1;
    struct stat status;
    bool reading_failed;
    int r = object_open(copying->from->objects_fd, object->digest.hex, &fd, &status);
    if (r < 0)
        return read_failed(copying, object, -r, error);
    r = check_size(copying, object, (uint64_t)status.st_size, error);
    if (r < 0)
        return r;
    r = stage_copy(&copying->stage, index, fd, executable_is_wanted(object, fd), buffer, &watch,
                   object->path, staged, &reading_failed);
    if (r == -ECANCELED)
        return progress_given_up(&copying->progress, error);
    if (r < 0 && reading_failed)
        return read_failed(copying, object, -r, error);
    if (r < 0)
        return stage_failed(&copying->stage, -r, object->path, error);
    if (!digest_equal(&staged->digest, &object->digest))
        return revision_object_damaged(copying->from, copying->revision, object,
                                       "is damaged: its content has another digest", HELPS, error);
    copying->travels[index] = true;
    return 0;
}

static int copy_object(void *context, unsigned worker, size_t index, vqemu_error **error) {
    struct copying *copying = context;
    if (copying->owner[index] != index)
        return 0;
    int r = is_there(copying, worker, index);
    if (r == -ECANCELED)
        return progress_given_up(&copying->progress, error);
    if (r < 0)
        return error_no_memory(error);
    return r == 1 ? progress_advance(&copying->progress, worker,
                                     manifest_object(copying->manifest, index)->path,
                                     copying->staged[index].file.size, error)
                  : fetch(copying, worker, index, error);
}

/* ---- the whole ---- */

static int compare_stores(const vqemu_store *a, const vqemu_store *b) {
    struct stat x, y;
    if (fstat(a->objects_fd, &x) < 0 || fstat(b->objects_fd, &y) < 0)
        return 0;
    if (x.st_dev != y.st_dev)
        return x.st_dev < y.st_dev ? -1 : 1;
    return x.st_ino < y.st_ino ? -1 : x.st_ino > y.st_ino;
}

/* Always in the same order, so that copies there and back do not wait for each other. */
static int lock_both(struct copying *copying, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(copying->manifest);
    int order = compare_stores(copying->from, copying->to), r = 0;
    if (order == 0)
        return error_because(
            error_set(error, VQEMU_ERR_INVALID, 0, "a copy needs two stores; %s is both",
                      copying->from->objects_path),
            error, "same-store", VQEMU_DETAIL_PATH, copying->from->objects_path, NULL);
    if (order < 0)
        r = store_lock_shared(copying->from, &copying->progress, &copying->from_lock_fd, error);
    if (r == 0)
        r = stage_open(&copying->stage, copying->to, count + 1, error);
    if (r == 0)
        r = stage_lock(&copying->stage, &copying->progress, error);
    if (r == 0 && order > 0)
        r = store_lock_shared(copying->from, &copying->progress, &copying->from_lock_fd, error);
    return r;
}

static int allocate(struct copying *copying, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(copying->manifest);
    int64_t total = vqemu_manifest_total_bytes(copying->manifest);
    copying->threads = call_threads(copying->progress.call);
    _cleanup_manifest_ vqemu_manifest *objects = NULL;
    verified_load(copying->to, vqemu_manifest_digest(copying->manifest), &objects, &copying->known);
    if (!objects || vqemu_manifest_object_count(objects) != count) {
        free(copying->known);
        copying->known = calloc(count + 1, sizeof *copying->known);
    }
    copying->staged = calloc(count + 1, sizeof *copying->staged);
    copying->travels = calloc(count + 1, sizeof *copying->travels);
    copying->owner = calloc(count + 1, sizeof *copying->owner);
    copying->buffers = malloc(copying->threads * DIGEST_READ_SIZE);
    progress_start(&copying->progress, "copy", "bytes", total > 0 ? (uint64_t)total : 0);
    return copying->known && copying->staged && copying->travels && copying->owner &&
                   copying->buffers
               ? 0
               : error_no_memory(error);
}

/* What several paths share travels once. */
static int find_owners(struct copying *copying) {
    _cleanup_digest_set_ struct digest_set set = {0};
    size_t count = vqemu_manifest_object_count(copying->manifest);
    int r = manifest_add_digests(copying->manifest, &set);
    digest_set_sort(&set);
    _cleanup_free_ size_t *first = calloc(count + 1, sizeof *first); /* index + 1 */
    if (r < 0 || !first)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct digest *digest = &manifest_object(copying->manifest, i)->digest;
        int64_t at = digest_set_find(&set, digest->hex);
        if (!first[at])
            first[at] = i + 1;
        copying->owner[i] = first[at] - 1;
    }
    return 0;
}

static int copy_objects(struct copying *copying, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(copying->manifest);
    const struct work work = {
        .function = copy_object,
        .context = copying,
        .count = count,
        .chunk = stage_chunk(count, copying->threads),
        .progress = &copying->progress,
    };
    int r = find_owners(copying) < 0 ? error_no_memory(error)
                                     : workers_run(&work, copying->threads, error);
    if (r == 0)
        r = stage_sync(&copying->stage, error);
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (!copying->travels[i])
            continue;
        r = stage_publish(&copying->stage, i, &copying->staged[i],
                          manifest_object(copying->manifest, i)->path, error);
    }
    for (size_t i = 0; r == 0 && i < count; i++)
        copying->staged[i].file = copying->staged[copying->owner[i]].file;
    return r == 0 ? stage_sync_objects(&copying->stage, error) : r;
}

static int publish(struct copying *copying, vqemu_ingest **ingest, vqemu_error **error) {
    _cleanup_(stage_release_profile) struct stage_profile profile = {
        .name = vqemu_revision_profile_name(copying->revision),
        .staged = copying->staged,
        .count = vqemu_manifest_object_count(copying->manifest),
        .manifest = vqemu_manifest_ref(vqemu_revision_manifest(copying->revision)),
        .text = copying->text,
    };
    return stage_publish_profile(&copying->stage, &profile, copying->progress.call, ingest, error);
}

/* What comes from another store is as foreign as an archive. */
static int check_time(const struct copying *copying, vqemu_error **error) {
    _cleanup_free_ char *what =
        format_string("revision %s", vqemu_revision_path(copying->revision));
    return what ? creation_time_check(manifest_time(copying->manifest), what, error)
                : error_no_memory(error);
}

static int check_count(const struct copying *copying, vqemu_error **error) {
    size_t count = vqemu_manifest_object_count(copying->manifest);
    size_t limit = call_max_objects(copying->progress.call);
    if (count <= limit)
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s has %zu objects, more than the limit of %zu",
                      vqemu_revision_name(copying->revision), count, limit);
    return error_because(r, error, "too-many-files", VQEMU_DETAIL_PATH,
                         vqemu_revision_path(copying->revision), NULL);
}

VQEMU_EXPORT int vqemu_store_copy(vqemu_store *from, const vqemu_revision *revision,
                                  vqemu_store *to, uint32_t flags, vqemu_call *call,
                                  vqemu_ingest **ingest, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(ingest, error);
    *ingest = NULL;
    REQUIRE_STORE(from, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_STORE(to, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_(release_copying) struct copying copying = {
        .from = from,
        .to = to,
        .revision = revision,
        .manifest = vqemu_revision_manifest(revision),
        .from_lock_fd = -1,
        .stage = STAGE_EMPTY,
        .progress = {.call = call, .phase_count = 1},
    };
    size_t size;
    int r = store_require_writable(to, "copy a profile into it", error);
    if (r == 0)
        r = revision_check_store(from, revision, error);
    if (r == 0 && !copying.manifest)
        r = revision_broken(revision, error);
    if (r == 0)
        r = check_count(&copying, error);
    if (r == 0)
        r = check_time(&copying, error);
    if (r == 0)
        r = lock_both(&copying, error);
    if (r == 0)
        r = revision_read_text(from, revision, &copying.text, &size, error);
    if (r == 0)
        r = allocate(&copying, error);
    if (r == 0)
        r = copy_objects(&copying, error);
    return r == 0 ? publish(&copying, ingest, error) : r;
}
