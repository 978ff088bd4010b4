/* SPDX-License-Identifier: MIT */
#include "remote/download.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "remote/blob.h"
#include "store/executable.h"
#include "util/strbuf.h"

#define KEEP_INTERVAL 2000 /* milliseconds */
#define KEEP_WAIT 1        /* likewise: while others would have to wait, too */

/* One object under way. */
struct download {
    struct fetch *fetch;
    size_t index; /* of the object, which is also its number in the stage */
    struct staged_file file;
    bool is_begun;
    struct sink sink;
    char *target, *doing;
};

struct wanted {
    size_t index;
    uint64_t size;
};

struct downloads {
    struct session *session;
    struct fetch *fetch;
    const struct oci_manifest *oci;
    struct wanted *wanted; /* largest first */
    size_t count, next;
    struct download slots[REMOTE_CONNECTIONS_MAX];
    int64_t kept_at;
};

static void end_download(struct download *download) {
    if (download->is_begun)
        stage_end(&download->file);
    free(download->target);
    free(download->doing);
    *download = (struct download){0};
}

static void release_downloads(struct downloads *downloads) {
    for (size_t i = 0; i < REMOTE_CONNECTIONS_MAX; i++)
        end_download(&downloads->slots[i]);
    free(downloads->wanted);
}

/* ---- what is missing ---- */

/* What is empty is nowhere. */
static uint64_t size_of(const struct fetch *fetch, const struct oci_manifest *oci, size_t index) {
    struct oci_place place;
    return oci_manifest_locate(oci, &manifest_object(fetch->manifest, index)->digest, &place)
               ? place.size
               : 0;
}

void download_measure(const struct fetch *fetch, const struct oci_manifest *oci, size_t *objects,
                      uint64_t *bytes) {
    *objects = 0;
    *bytes = 0;
    for (size_t i = 0; i < vqemu_manifest_object_count(fetch->manifest); i++) {
        if (!fetch->missing[i])
            continue;
        ++*objects;
        *bytes += size_of(fetch, oci, i);
    }
}

static int compare_sizes(const void *a, const void *b) {
    const struct wanted *x = a, *y = b;
    return x->size != y->size ? (x->size < y->size ? 1 : -1)
                              : (x->index > y->index) - (x->index < y->index);
}

static int list_missing(struct downloads *downloads) {
    struct fetch *fetch = downloads->fetch;
    size_t count = vqemu_manifest_object_count(fetch->manifest);
    downloads->wanted = calloc(count + 1, sizeof *downloads->wanted);
    if (!downloads->wanted)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (fetch->missing[i])
            downloads->wanted[downloads->count++] =
                (struct wanted){i, size_of(fetch, downloads->oci, i)};
    qsort(downloads->wanted, downloads->count, sizeof *downloads->wanted, compare_sizes);
    return 0;
}

/* ---- one object ---- */

static const char *path_of(const struct download *download) {
    return manifest_object(download->fetch->manifest, download->index)->path;
}

static int write_failed(const struct download *download, int system_errno, vqemu_error **error) {
    return stage_failed(&download->fetch->stage, system_errno, path_of(download), error);
}

/* What came twice is told once. The caller hears of it elsewhere: here libcurl has called. */
static int write_bytes(void *context, const void *bytes, size_t size) {
    struct download *download = context;
    uint64_t received = download->sink.received + size, farthest = download->sink.farthest;
    progress_advance(download->fetch->progress, 1, path_of(download),
                     received > farthest ? received - farthest : 0, NULL);
    return stage_write(&download->file, bytes, size);
}

static int begin_anew(void *context) {
    struct download *download = context;
    return stage_restart(&download->file);
}

static int begin(struct downloads *downloads, struct download *download,
                 const struct wanted *wanted, vqemu_error **error) {
    struct fetch *fetch = downloads->fetch;
    const struct manifest_object *object = manifest_object(fetch->manifest, wanted->index);
    struct oci_place place = {.blob.digest = object->digest};
    oci_manifest_locate(downloads->oci, &object->digest, &place);
    *download = (struct download){
        .fetch = fetch,
        .index = wanted->index,
        .sink = {.offset = place.offset,
                 .size = wanted->size,
                 .whole = place.blob.size,
                 .write = write_bytes,
                 .restart = begin_anew,
                 .context = download},
        .target = blob_target(downloads->session->remote, &place.blob.digest),
        .doing = format_string("fetch %s", object->path),
    };
    if (!download->target || !download->doing)
        return error_no_memory(error);
    int r = stage_begin(&fetch->stage, wanted->index,
                        object->mode && executable_is_wanted(object, -1), &download->file);
    download->is_begun = r == 0;
    return r < 0 ? write_failed(download, -r, error) : 0;
}

/* Without a mode in the manifest, the content says it. */
static int set_mode(const struct download *download) {
    const struct fetch *fetch = download->fetch;
    const struct manifest_object *object = manifest_object(fetch->manifest, download->index);
    if (object->mode)
        return 0;
    _cleanup_close_ int fd = stage_reopen(&fetch->stage, download->index);
    if (fd < 0)
        return fd;
    return executable_is_wanted(object, fd) ? stage_set_executable(&fetch->stage, download->index)
                                            : 0;
}

/* 1 if it is what its digest says, else 0 or an error. */
static int complete(struct download *download, vqemu_error **error) {
    struct fetch *fetch = download->fetch;
    struct staged *staged = &fetch->staged[download->index];
    int r = stage_complete(&fetch->stage, &download->file, staged);
    if (r == 0)
        r = set_mode(download);
    if (r < 0)
        return write_failed(download, -r, error);
    if (!digest_equal(&staged->digest, &manifest_object(fetch->manifest, download->index)->digest))
        return 0;
    fetch_note_staged(fetch, download->index);
    return 1;
}

/* ---- all of them ---- */

static int next_object(void *context, unsigned slot, struct exchange *exchange,
                       vqemu_error **error) {
    struct downloads *downloads = context;
    struct download *download = &downloads->slots[slot];
    if (downloads->next == downloads->count)
        return 0;
    int r = begin(downloads, download, &downloads->wanted[downloads->next++], error);
    exchange->request = (struct request){.method = "GET",
                                         .target = download->target,
                                         .doing = download->doing,
                                         .sink = &download->sink};
    return r < 0 ? r : 1;
}

static void keep_now_and_then(struct downloads *downloads) {
    if (call_now() - downloads->kept_at < KEEP_INTERVAL)
        return;
    download_keep(downloads->fetch, KEEP_WAIT);
    downloads->kept_at = call_now();
}

static int finish_object(void *context, unsigned slot, struct exchange *exchange,
                         vqemu_error **error) {
    struct downloads *downloads = context;
    struct download *download = &downloads->slots[slot];
    int r = download->sink.fault == SINK_WRITE_FAILED
                ? write_failed(download, download->sink.system_errno, error)
                : blob_check_answer(downloads->session, exchange, error);
    if (r == 0)
        r = complete(download, error);
    if (r == 0)
        r = session_got_damaged(downloads->session, exchange, "sends what has another digest",
                                error);
    end_download(download);
    if (r < 0)
        return r;
    keep_now_and_then(downloads);
    return 0;
}

/* They are the smallest, and so the last. */
static int make_empty_ones(struct downloads *downloads, vqemu_error **error) {
    int r = 1;
    while (r == 1 && downloads->count > 0 && downloads->wanted[downloads->count - 1].size == 0) {
        struct download *download = &downloads->slots[0];
        r = begin(downloads, download, &downloads->wanted[--downloads->count], error);
        if (r == 0)
            r = complete(download, error);
        end_download(download);
    }
    return r < 0 ? r : 0;
}

int download_missing(struct session *session, struct fetch *fetch, const struct oci_manifest *oci,
                     vqemu_error **error) {
    _cleanup_free_ struct downloads *downloads = calloc(1, sizeof *downloads);
    size_t objects;
    uint64_t bytes;
    if (!downloads)
        return error_no_memory(error);
    downloads->session = session;
    downloads->fetch = fetch;
    downloads->oci = oci;
    downloads->kept_at = call_now();
    const struct exchange_source source = {next_object, finish_object, downloads};
    download_measure(fetch, oci, &objects, &bytes);
    progress_start(fetch->progress, "pull", "bytes", bytes);
    int r = list_missing(downloads) < 0 ? error_no_memory(error) : 0;
    if (r == 0)
        r = make_empty_ones(downloads, error);
    if (r == 0 && downloads->count > 0)
        r = session_run_all(session, &source, error);
    release_downloads(downloads);
    return r;
}

/* ---- keeping what is whole ---- */

static bool is_any_staged(const struct fetch *fetch) {
    for (size_t i = 0; i < vqemu_manifest_object_count(fetch->manifest); i++)
        if (fetch->travels[i])
            return true;
    return false;
}

/* It is good whatever becomes of the rest; if it cannot be kept now, that is no failure. */
void download_keep(struct fetch *fetch, uint64_t milliseconds) {
    _cleanup_call_ vqemu_call *call = NULL;
    if (!fetch->travels || !is_any_staged(fetch) || vqemu_call_new(&call, NULL) < 0)
        return;
    struct vqemu_progress progress = {.call = call};
    vqemu_call_set_number(call, VQEMU_CALL_LOCK_TIMEOUT, milliseconds, NULL);
    if (stage_lock(&fetch->stage, &progress, NULL) == 0)
        fetch_publish_objects(fetch, NULL);
    stage_unlock(&fetch->stage);
    fetch->stage.progress = NULL;
}
