/* SPDX-License-Identifier: MIT */
/* A revision of one store -> another store. */
#include <volt-qemu/copy.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/creation-time.h"
#include "store/object.h"
#include "store/revision.h"
#include "store/signatures.h"
#include "transfer/arriving.h"
#include "transfer/fetch.h"
#include "util/export.h"
#include "util/strbuf.h"

/* A copy under way. */
struct copying {
    vqemu_store *from;
    const vqemu_revision *revision;
    char *text;
    struct signature_set signatures;
    int from_lock_fd;
    struct fetch fetch; /* by the store that it goes to */
    struct vqemu_progress progress;
};

static void release_copying(struct copying *copying) {
    fetch_release(&copying->fetch);
    cleanup_close(&copying->from_lock_fd);
    signature_set_release(&copying->signatures);
    free(copying->text);
}

/* ---- where objects come from ---- */

#define HELPS " and copy again"

static int read_failed(void *context, const struct manifest_object *object, int system_errno,
                       vqemu_error **error) {
    const struct copying *copying = context;
    return revision_object_failed(copying->from, copying->revision, object, system_errno, HELPS,
                                  error);
}

static int damaged(void *context, const struct manifest_object *object, vqemu_error **error) {
    const struct copying *copying = context;
    return revision_object_damaged(copying->from, copying->revision, object,
                                   "is damaged: its content has another digest", HELPS, error);
}

static int open_object(void *context, const struct manifest_object *object,
                       struct fetch_content *content, vqemu_error **error) {
    const struct copying *copying = context;
    struct stat status;
    int r = object_open(copying->from->objects_fd, object->digest.hex, &content->fd, &status);
    return r < 0 ? read_failed(context, object, -r, error) : 0;
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
    struct fetch *fetch = &copying->fetch;
    size_t count = vqemu_manifest_object_count(fetch->manifest);
    int order = compare_stores(copying->from, fetch->store), r = 0;
    if (order == 0)
        return error_because(
            error_set(error, VQEMU_ERR_INVALID, 0, "a copy needs two stores; %s is both",
                      copying->from->objects_path),
            error, "same-store", VQEMU_DETAIL_PATH, copying->from->objects_path, NULL);
    if (order < 0)
        r = store_lock_shared(copying->from, &copying->progress, &copying->from_lock_fd, error);
    if (r == 0)
        r = stage_open(&fetch->stage, fetch->store, count + 1, error);
    if (r == 0)
        r = stage_lock(&fetch->stage, &copying->progress, error);
    if (r == 0 && order > 0)
        r = store_lock_shared(copying->from, &copying->progress, &copying->from_lock_fd, error);
    return r;
}

/* What comes from another store is as foreign as an archive. */
static int check_time(const struct copying *copying, vqemu_error **error) {
    _cleanup_free_ char *what =
        format_string("revision %s", vqemu_revision_path(copying->revision));
    return what ? creation_time_check(manifest_time(copying->fetch.manifest), what, error)
                : error_no_memory(error);
}

static int check_trust(const struct copying *copying, vqemu_error **error) {
    const struct arriving arriving = {.kind = "revision",
                                      .name = vqemu_revision_path(copying->revision),
                                      .manifest = copying->fetch.manifest};
    const struct arriving_proof proof = {
        .store = copying->fetch.store, .text = copying->text, .signatures = &copying->signatures};
    return arriving_check_trust(&arriving, &proof, vqemu_revision_profile_name(copying->revision),
                                error);
}

static int load_text(struct copying *copying, vqemu_error **error) {
    size_t size;
    int r = revision_read_text(copying->from, copying->revision, &copying->text, &size, error);
    return r == 0 ? signatures_load(copying->from, vqemu_revision_name(copying->revision),
                                    copying->progress.call, &copying->signatures, NULL, error)
                  : r;
}

static int copy(struct copying *copying, vqemu_ingest **ingest, vqemu_error **error) {
    struct fetch *fetch = &copying->fetch;
    int r = fetch_check_count(fetch, error);
    if (r == 0)
        r = check_time(copying, error);
    if (r == 0)
        r = lock_both(copying, error);
    if (r == 0)
        r = load_text(copying, error);
    if (r == 0)
        r = check_trust(copying, error);
    if (r == 0)
        r = fetch_objects(fetch, "copy", error);
    return r == 0 ? fetch_publish(fetch, vqemu_revision_profile_name(copying->revision),
                                  copying->text, &copying->signatures, ingest, error)
                  : r;
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
        .revision = revision,
        .from_lock_fd = -1,
        .progress = {.call = call, .phase_count = 1},
    };
    const struct fetch_source source = {open_object, read_failed, damaged, &copying,
                                        vqemu_revision_path(revision)};
    copying.fetch = (struct fetch){.store = to,
                                   .manifest = vqemu_revision_manifest(revision),
                                   .source = &source,
                                   .stage = STAGE_EMPTY,
                                   .progress = &copying.progress};
    int r = store_require_writable(to, "copy a profile into it", error);
    if (r == 0)
        r = revision_check_store(from, revision, error);
    if (r == 0 && !copying.fetch.manifest)
        r = revision_broken(revision, error);
    return r == 0 ? copy(&copying, ingest, error) : r;
}
