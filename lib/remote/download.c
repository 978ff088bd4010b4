/* SPDX-License-Identifier: MIT */
#include "remote/download.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "remote/blob.h"
#include "remote/download-plan.h"
#include "store/executable.h"
#include "util/strbuf.h"

#define KEEP_INTERVAL 2000 /* milliseconds */
#define KEEP_WAIT 1        /* likewise: while others would have to wait, too */

/* A range of a blob under way, with the objects that are in it. */
struct download {
    struct fetch *fetch;
    const struct download_plan *plan;
    const struct download_range *range;
    size_t next;             /* the part that is written, or comes next */
    uint64_t at;             /* where in the blob the next byte is */
    struct staged_file file; /* of that part, once it is begun */
    bool is_begun, is_damaged;
    bool is_anew; /* what came was damaged: it is asked for a second time */
    struct sink sink;
    char *target, *doing;
};

struct downloads {
    struct session *session;
    struct fetch *fetch;
    struct download_plan plan;
    size_t next;
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
    download_plan_release(&downloads->plan);
}

int download_measure(const struct fetch *fetch, const struct oci_manifest *oci, size_t *objects,
                     uint64_t *bytes) {
    _cleanup_download_plan_ struct download_plan plan;
    int r = download_plan_make(&plan, fetch, oci);
    *objects = plan.part_count + plan.empty_count;
    *bytes = plan.size;
    return r;
}

/* ---- one object ---- */

/* The number in the stage is that of the object in the manifest. */
static int begin_object(struct fetch *fetch, size_t index, struct staged_file *file) {
    const struct manifest_object *object = manifest_object(fetch->manifest, index);
    return stage_begin(&fetch->stage, index, object->mode && executable_is_wanted(object, -1) == 1,
                       file);
}

/* 1 if it is what its digest says, else 0 or a negative errno. */
static int complete_object(struct fetch *fetch, size_t index, struct staged_file *file) {
    struct staged *staged = &fetch->staged[index];
    int r = stage_complete(&fetch->stage, file, staged);
    stage_end(file);
    if (r == 0)
        r = fetch_set_mode(fetch, index);
    if (r < 0)
        return r;
    if (!digest_equal(&staged->digest, &manifest_object(fetch->manifest, index)->digest))
        return 0;
    fetch_note_staged(fetch, index);
    return 1;
}

static int make_empty_ones(struct downloads *downloads, vqemu_error **error) {
    struct fetch *fetch = downloads->fetch;
    for (size_t i = 0; i < downloads->plan.empty_count; i++) {
        size_t index = downloads->plan.empty[i];
        struct staged_file file;
        int r = begin_object(fetch, index, &file);
        if (r == 0)
            r = complete_object(fetch, index, &file);
        if (r < 0)
            return stage_failed(&fetch->stage, -r, manifest_object(fetch->manifest, index)->path,
                                error);
    }
    return 0;
}

/* ---- the objects of a range ---- */

static const struct download_part *part_of(const struct download *download) {
    return &download->plan->parts[download->next];
}

/* Whether one is still to come. Those that came before the range was begun anew stay. */
static bool find_next_part(struct download *download) {
    size_t end = download->range->first_part + download->range->part_count;
    while (download->next < end && !download->fetch->missing[part_of(download)->index])
        download->next++;
    return download->next < end;
}

/* Of the object at hand, or the last one. */
static const char *path_of(const struct download *download) {
    size_t last = download->range->first_part + download->range->part_count - 1;
    size_t part = download->next < last ? download->next : last;
    return manifest_object(download->fetch->manifest, download->plan->parts[part].index)->path;
}

static int write_failed(const struct download *download, int system_errno, vqemu_error **error) {
    return stage_failed(&download->fetch->stage, system_errno, path_of(download), error);
}

static int write_part(struct download *download, const void *bytes, size_t size) {
    size_t index = part_of(download)->index;
    const struct oci_place *place = &part_of(download)->place;
    int r = download->is_begun ? 0 : begin_object(download->fetch, index, &download->file);
    download->is_begun = r == 0;
    if (r == 0)
        r = stage_write(&download->file, bytes, size);
    if (r < 0 || download->at + size < place->offset + place->size)
        return r;
    download->is_begun = false;
    r = complete_object(download->fetch, index, &download->file);
    download->is_damaged = r == 0;
    return r == 0 ? -EBADMSG : r < 0 ? r : 0;
}

static size_t up_to(const struct download *download, uint64_t end, size_t size) {
    return size < end - download->at ? size : (size_t)(end - download->at);
}

/* What is between two objects, or behind the last one, is passed over. */
static int write_parts(struct download *download, const char *bytes, size_t size) {
    int r = 0;
    while (r == 0 && size > 0) {
        bool has_part = find_next_part(download);
        const struct oci_place *place = has_part ? &part_of(download)->place : NULL;
        size_t now = size;
        if (has_part && download->at < place->offset) {
            now = up_to(download, place->offset, size);
        } else if (has_part) {
            now = up_to(download, place->offset + place->size, size);
            r = write_part(download, bytes, now);
        }
        download->at += now;
        bytes += now;
        size -= now;
    }
    return r;
}

/* What came twice is told once. The caller hears of it elsewhere: here libcurl has called. */
static int write_bytes(void *context, const void *bytes, size_t size) {
    struct download *download = context;
    uint64_t received = download->sink.received + size, farthest = download->sink.farthest;
    const char *path = path_of(download);
    int r = write_parts(download, bytes, size);
    if (r == 0)
        progress_advance(download->fetch->progress, 1, path,
                         received > farthest ? received - farthest : 0, NULL);
    return r;
}

static int begin_anew(void *context) {
    struct download *download = context;
    int r = 0;
    if (download->is_begun)
        stage_end(&download->file);
    if (download->is_begun || download->is_damaged)
        r = stage_drop(&download->fetch->stage, part_of(download)->index);
    download->is_begun = download->is_damaged = false;
    download->next = download->range->first_part;
    download->at = download->range->offset;
    return r;
}

/* ---- one range ---- */

static int begin(struct downloads *downloads, struct download *download,
                 const struct download_range *range, vqemu_error **error) {
    *download = (struct download){
        .fetch = downloads->fetch,
        .plan = &downloads->plan,
        .range = range,
        .next = range->first_part,
        .at = range->offset,
        .sink = {.offset = range->offset,
                 .size = range->size,
                 .whole = range->blob.size,
                 .write = write_bytes,
                 .restart = begin_anew,
                 .context = download},
        .target = blob_target(downloads->session->remote, &range->blob.digest),
    };
    download->doing =
        range->part_count == 1
            ? format_string("fetch %s from", path_of(download))
            : format_string("fetch %s and what is packed with it from", path_of(download));
    return download->target && download->doing ? 0 : error_no_memory(error);
}

static int damaged(const struct downloads *downloads, const struct download *download,
                   const struct exchange *exchange, vqemu_error **error) {
    const char *what = download->range->part_count == 1 ? "" : path_of(download);
    _cleanup_free_ char *how = format_string("sends %s%s%swhat has another digest",
                                             *what ? "for " : "", what, *what ? " " : "");
    return how ? session_got_damaged(downloads->session, exchange, how, error)
               : error_no_memory(error);
}

/* ---- all of them ---- */

static int next_range(void *context, unsigned slot, struct exchange *exchange,
                      vqemu_error **error) {
    struct downloads *downloads = context;
    struct download *download = &downloads->slots[slot];
    int r = 0;
    if (!download->is_anew) {
        if (downloads->next == downloads->plan.range_count)
            return 0;
        r = begin(downloads, download, &downloads->plan.ranges[downloads->next++], error);
    }
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

/* Of a mirror, a cache or a way that damages now and then, the next answer may be good. */
static bool try_once_more(struct download *download, const struct exchange *exchange) {
    struct sink *sink = &download->sink;
    bool is_wrong =
        download->is_damaged || (answer_is_good(&exchange->answer) && sink_was_misled(sink));
    if (!is_wrong || download->is_anew)
        return false;
    download->is_anew = true;
    sink_begin(sink);
    int r = begin_anew(download);
    if (r < 0) {
        sink->fault = SINK_WRITE_FAILED;
        sink->system_errno = -r;
        return false;
    }
    sink_restart(sink);
    return sink->fault == SINK_FINE;
}

static int finish_range(void *context, unsigned slot, struct exchange *exchange,
                        vqemu_error **error) {
    struct downloads *downloads = context;
    struct download *download = &downloads->slots[slot];
    if (try_once_more(download, exchange))
        return 0;
    int r = download->is_damaged ? damaged(downloads, download, exchange, error)
            : download->sink.fault == SINK_WRITE_FAILED
                ? write_failed(download, download->sink.system_errno, error)
                : blob_check_answer(downloads->session, exchange, error);
    end_download(download);
    if (r < 0)
        return r;
    keep_now_and_then(downloads);
    return 0;
}

int download_missing(struct session *session, struct fetch *fetch, const struct oci_manifest *oci,
                     vqemu_error **error) {
    _cleanup_free_ struct downloads *downloads = calloc(1, sizeof *downloads);
    if (!downloads)
        return error_no_memory(error);
    downloads->session = session;
    downloads->fetch = fetch;
    downloads->kept_at = call_now();
    const struct exchange_source source = {next_range, finish_range, downloads};
    int r = download_plan_make(&downloads->plan, fetch, oci) < 0 ? error_no_memory(error) : 0;
    progress_start(fetch->progress, "pull", "bytes", downloads->plan.size);
    if (r == 0)
        r = make_empty_ones(downloads, error);
    if (r == 0 && downloads->plan.range_count > 0)
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
    vqemu_call_set_number(call, VQEMU_CALL_LOCK_TIMEOUT_MS, milliseconds, NULL);
    if (stage_lock(&fetch->stage, &progress, NULL) == 0)
        fetch_publish_objects(fetch, NULL);
    stage_unlock(&fetch->stage);
    fetch->stage.progress = NULL;
}
