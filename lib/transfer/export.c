/* SPDX-License-Identifier: MIT */
/* A revision -> a tar archive. */
#include <volt-qemu/archive.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/executable.h"
#include "store/object.h"
#include "store/revision.h"
#include "store/signatures.h"
#include "transfer/import.h"
#include "transfer/tar-archive.h"
#include "util/export.h"

#define BUFFER_SIZE ((size_t)256 * 1024)

struct export {
    vqemu_store *store;
    const vqemu_revision *revision;
    const vqemu_manifest *manifest;
    struct archive_writer *writer;
    int lock_fd; /* holds the store against collection */
    unsigned char *buffer;
    struct vqemu_progress progress;
};

static void release_export(struct export *export) {
    archive_abandon(export->writer);
    cleanup_close(&export->lock_fd);
    free(export->buffer);
}

static int damaged(const struct export *export, const struct manifest_object *object,
                   const char *how, vqemu_error **error) {
    return revision_object_damaged(export->store, export->revision, object, how, "", error);
}

static int read_failed(const struct export *export, const struct manifest_object *object,
                       int system_errno, vqemu_error **error) {
    return revision_object_failed(export->store, export->revision, object, system_errno, "", error);
}

/* Its time of creation, as far as all tars can write it. */
static int64_t time_of_files(const struct export *export) {
    const int64_t octal_max = 077777777777;
    int64_t seconds = manifest_time(export->manifest)->tv_sec;
    return seconds < 1 ? 1 : seconds > octal_max ? octal_max : seconds;
}

static int add_manifest(const struct export *export, vqemu_error **error) {
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = revision_read_text(export->store, export->revision, &text, &size, error);
    if (r == 0)
        r = archive_add_file(export->writer, ARCHIVE_MANIFEST_NAME, size, false,
                             time_of_files(export), error);
    return r == 0 ? archive_add_content(export->writer, text, size, error) : r;
}

static int add_signatures(const struct export *export, vqemu_error **error) {
    _cleanup_signature_set_ struct signature_set set = {0};
    int r = signatures_load(export->store, vqemu_revision_name(export->revision),
                            export->progress.call, &set, NULL, error);
    for (size_t i = 0; r == 0 && i < set.count; i++) {
        const struct signed_by *item = &set.items[i];
        char name[sizeof ARCHIVE_SIGNATURE_PREFIX + DIGEST_HEX_LENGTH];
        snprintf(name, sizeof name, ARCHIVE_SIGNATURE_PREFIX "%s", item->digest.hex);
        r = archive_add_file(export->writer, name, item->size, false, time_of_files(export), error);
        if (r == 0)
            r = archive_add_content(export->writer, item->bytes, item->size, error);
    }
    return r;
}

/* Write and hash the content of an object. */
static int add_content(struct export *export, const struct manifest_object *object, int fd,
                       uint64_t size, vqemu_error **error) {
    struct digest_state state;
    uint64_t done = 0;
    digest_start(&state);
    while (done < size) {
        ssize_t n = read(fd, export->buffer, BUFFER_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return read_failed(export, object, errno, error);
        if (n == 0 || (uint64_t)n > size - done)
            return damaged(export, object, "was written to while it was being read", error);
        digest_add(&state, export->buffer, (size_t)n);
        done += (uint64_t)n;
        int r = archive_add_content(export->writer, export->buffer, (size_t)n, error);
        if (r == 0)
            r = progress_advance(&export->progress, 0, object->path, (uint64_t)n, error);
        if (r < 0)
            return r;
    }
    struct digest digest = digest_finish(&state);
    return digest_equal(&digest, &object->digest)
               ? 0
               : damaged(export, object, "is damaged: its content has another digest", error);
}

static int add_object(struct export *export, size_t index, vqemu_error **error) {
    const struct manifest_object *object = manifest_object(export->manifest, index);
    _cleanup_close_ int fd = -1;
    struct stat status;
    int r = object_open(export->store->objects_fd, object->digest.hex, &fd, &status);
    if (r < 0)
        return read_failed(export, object, -r, error);
    uint64_t size = (uint64_t)status.st_size;
    int executable = executable_is_wanted(object, fd);
    if (executable < 0)
        return read_failed(export, object, -executable, error);
    r = archive_add_file(export->writer, object->path, size, executable, time_of_files(export),
                         error);
    return r == 0 ? add_content(export, object, fd, size, error) : r;
}

static int open_export(struct export *export, const vqemu_revision *revision, int fd,
                       const char *name, vqemu_error **error) {
    int64_t total;
    int r = revision_check_store(export->store, revision, error);
    if (r == 0 && vqemu_revision_error(revision))
        r = revision_broken(revision, error);
    if (r == 0)
        r = store_lock_shared(export->store, &export->progress, &export->lock_fd, error);
    if (r == 0)
        r = archive_create(fd, name, &export->progress, &export->writer, error);
    if (r < 0)
        return r;
    export->manifest = vqemu_revision_manifest(revision);
    export->buffer = malloc(BUFFER_SIZE);
    total = vqemu_manifest_total_bytes(export->manifest);
    progress_start(&export->progress, "export", "bytes", total > 0 ? (uint64_t)total : 0);
    return export->buffer ? 0 : error_no_memory(error);
}

VQEMU_EXPORT int vqemu_store_export(vqemu_store *store, const vqemu_revision *revision, int fd,
                                    const char *name, uint32_t flags, vqemu_call *call,
                                    vqemu_error **error) {
    error_begin(error);
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_FLAGS(flags, 0, error);
    REQUIRE_DESCRIPTOR(fd, error);
    _cleanup_(release_export) struct export export = {
        .store = store,
        .revision = revision,
        .lock_fd = -1,
        .progress = {.call = call, .phase_count = 1},
    };
    char number[ARCHIVE_NAME_SIZE];
    int r = open_export(&export, revision, fd, archive_name(name, fd, number), error);
    if (r == 0)
        r = add_manifest(&export, error);
    if (r == 0)
        r = add_signatures(&export, error);
    for (size_t i = 0; r == 0 && i < vqemu_manifest_object_count(export.manifest); i++)
        r = add_object(&export, i, error);
    return r == 0 ? archive_finish(export.writer, error) : r;
}
