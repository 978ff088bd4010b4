/* SPDX-License-Identifier: MIT */
#include "remote/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "remote/blob.h"
#include "util/fd.h"
#include "util/strbuf.h"

#define BLOB_TYPE "application/octet-stream"

/* ---- which ones ---- */

static void add(struct outgoings *outgoings, const struct outgoing *outgoing) {
    if (outgoing->blob.size > 0) /* what is empty has no layer */
        outgoings->items[outgoings->count++] = *outgoing;
}

static int compare_sizes(const void *a, const void *b) {
    const struct outgoing *x = a, *y = b;
    if (x->blob.size != y->blob.size)
        return x->blob.size < y->blob.size ? 1 : -1;
    return strcmp(x->blob.digest.hex, y->blob.digest.hex);
}

int outgoings_list(struct outgoings *outgoings, const struct oci_revision *out) {
    const struct oci_manifest *oci = &out->oci;
    outgoings->out = out;
    outgoings->items = calloc(oci->object_count + oci->signature_count + oci->packed.pack_count + 2,
                              sizeof *outgoings->items);
    if (!outgoings->items)
        return -ENOMEM;
    add(outgoings,
        &(struct outgoing){.blob = oci->config, .what = "the manifest", .bytes = out->text});
    for (size_t i = 0; i < oci->signature_count; i++)
        add(outgoings, &(struct outgoing){.blob = oci->signatures[i],
                                          .what = "a signature",
                                          .bytes = out->signatures.items[i].bytes});
    for (size_t i = 0; i < oci->object_count; i++) {
        const struct manifest_object *object = oci_revision_find(out, &oci->objects[i].digest);
        add(outgoings,
            &(struct outgoing){.blob = oci->objects[i], .what = object->path, .object = object});
    }
    add(outgoings, &(struct outgoing){.blob = oci->pack_index,
                                      .what = "the index of packs",
                                      .bytes = out->pack_index_text});
    for (size_t i = 0; i < oci->packed.pack_count; i++)
        add(outgoings,
            &(struct outgoing){.blob = oci->packed.packs[i], .what = "a pack", .pack = i});
    qsort(outgoings->items, outgoings->count, sizeof *outgoings->items, compare_sizes);
    return 0;
}

void outgoings_release(struct outgoings *outgoings) {
    free(outgoings->items);
}

static bool is_passed_over(const struct outgoings *outgoings, size_t index) {
    return outgoings->only_wanted && !outgoings->items[index].is_wanted;
}

static uint64_t size_of(const struct outgoings *outgoings) {
    uint64_t size = 0;
    for (size_t i = 0; i < outgoings->count; i++)
        size += is_passed_over(outgoings, i) ? 0 : outgoings->items[i].blob.size;
    return size;
}

/* ---- one blob ---- */

enum upload_step { UPLOAD_ASKS, UPLOAD_SENDS, UPLOAD_DONE };
enum upload_fault { UPLOAD_FINE, UPLOAD_DAMAGED, UPLOAD_UNREADABLE, UPLOAD_PACK_FAILED };

struct upload {
    const struct oci_revision *out;
    struct outgoing *outgoing; /* NULL for none */
    struct vqemu_progress *progress;
    enum upload_step step;
    char *target, *doing;
    struct http_upload body;
    int fd;                  /* of an object */
    struct pack_reader pack; /* of a pack; without out until it is begun */
    struct digest_state state;
    uint64_t sent, farthest;
    enum upload_fault fault;
    int system_errno;
    vqemu_error *error; /* of reading a pack */
};

static void end_upload(struct upload *upload) {
    cleanup_close(&upload->fd);
    if (upload->pack.out)
        pack_reader_end(&upload->pack);
    vqemu_error_free(upload->error);
    free(upload->target);
    free(upload->doing);
    *upload = (struct upload){.fd = -1};
}

static bool is_pack(const struct outgoing *outgoing) {
    return !outgoing->object && !outgoing->bytes;
}

static int go_to_start(void *context) {
    struct upload *upload = context;
    upload->sent = 0;
    digest_start(&upload->state);
    if (upload->pack.out)
        pack_reader_end(&upload->pack);
    if (is_pack(upload->outgoing))
        pack_reader_begin(&upload->pack, upload->out, upload->outgoing->pack);
    return upload->fd >= 0 && lseek(upload->fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static ssize_t read_pack(struct upload *upload, void *bytes, size_t size) {
    ssize_t n = pack_reader_read(&upload->pack, bytes, size, &upload->error);
    if (n < 0)
        upload->fault = UPLOAD_PACK_FAILED;
    return n < 0 ? -EBADMSG : n;
}

static ssize_t read_bytes(struct upload *upload, void *bytes, size_t size) {
    if (is_pack(upload->outgoing))
        return read_pack(upload, bytes, size);
    if (upload->fd < 0) {
        memcpy(bytes, upload->outgoing->bytes + upload->sent, size);
        return (ssize_t)size;
    }
    return read_some(upload->fd, bytes, size);
}

/* The last bytes are not sent if it is not what its digest says. */
static bool is_intact(struct upload *upload) {
    const struct digest digest = digest_finish(&upload->state);
    return digest_equal(&digest, &upload->outgoing->blob.digest);
}

static ssize_t give_bytes(void *context, void *bytes, size_t size) {
    struct upload *upload = context;
    uint64_t left = upload->outgoing->blob.size - upload->sent;
    ssize_t n = left == 0 ? 0 : read_bytes(upload, bytes, size < left ? size : (size_t)left);
    if (n < 0) {
        if (upload->fault == UPLOAD_FINE)
            upload->fault = UPLOAD_UNREADABLE;
        upload->system_errno = (int)-n;
        return n;
    }
    digest_add(&upload->state, bytes, (size_t)n);
    upload->sent += (uint64_t)n;
    if (left > 0 && (n == 0 || ((uint64_t)n == left && !is_intact(upload)))) {
        upload->fault = UPLOAD_DAMAGED;
        return -EBADMSG;
    }
    if (upload->sent > upload->farthest) {
        progress_advance(upload->progress, 1, upload->outgoing->what,
                         upload->sent - upload->farthest, NULL);
        upload->farthest = upload->sent;
    }
    return n;
}

/* ---- many ---- */

struct uploads {
    const struct outgoings *outgoings;
    struct session *session;
    size_t next;
    struct upload slots[REMOTE_CONNECTIONS_MAX];
};

static int open_object(const struct uploads *uploads, struct upload *upload, vqemu_error **error) {
    const struct manifest_object *object = upload->outgoing->object;
    struct stat status;
    return !object || upload->fd >= 0 ? 0
                                      : oci_revision_open_object(uploads->outgoings->out, object,
                                                                 &upload->fd, &status, error);
}

static int begin(const struct uploads *uploads, struct upload *upload, struct outgoing *outgoing,
                 vqemu_error **error) {
    *upload = (struct upload){
        .out = uploads->outgoings->out,
        .outgoing = outgoing,
        .progress = uploads->session->progress,
        .step = outgoing->is_wanted ? UPLOAD_SENDS : UPLOAD_ASKS,
        .doing = format_string("send %s to", outgoing->what),
        .fd = -1,
    };
    upload->body = (struct http_upload){.size = outgoing->blob.size,
                                        .type = BLOB_TYPE,
                                        .read = give_bytes,
                                        .rewind = go_to_start,
                                        .context = upload};
    return upload->doing ? 0 : error_no_memory(error);
}

/* "?mount=...&from=...": where a repository beside may have it. */
static char *upload_target(const struct uploads *uploads, const struct digest *digest) {
    const vqemu_remote *remote = uploads->session->remote;
    const char *name = remote->name, *from = remote->mount_from;
    return from ? format_string("/v2/%s/blobs/uploads/?mount=sha256%%3A%s&from=%s", name,
                                digest->hex, from)
                : format_string("/v2/%s/blobs/uploads/", name);
}

static int ask(const struct uploads *uploads, struct upload *upload, struct exchange *exchange,
               vqemu_error **error) {
    bool sends = upload->step == UPLOAD_SENDS;
    const struct digest *digest = &upload->outgoing->blob.digest;
    int r = sends ? open_object(uploads, upload, error) : 0;
    if (r < 0)
        return r;
    free(upload->target);
    upload->target =
        sends ? upload_target(uploads, digest) : blob_target(uploads->session->remote, digest);
    exchange->request = (struct request){.method = sends ? "POST" : "HEAD",
                                         .target = upload->target,
                                         .doing = upload->doing,
                                         .body_max = ANSWER_MAX,
                                         .upload = sends ? &upload->body : NULL,
                                         .blob = sends ? digest : NULL};
    return upload->target ? 1 : error_no_memory(error);
}

static int next_request(void *context, unsigned slot, struct exchange *exchange,
                        vqemu_error **error) {
    struct uploads *uploads = context;
    struct upload *upload = &uploads->slots[slot];
    if (!upload->outgoing) {
        const struct outgoings *outgoings = uploads->outgoings;
        while (uploads->next < outgoings->count && is_passed_over(outgoings, uploads->next))
            uploads->next++;
        if (uploads->next == outgoings->count)
            return 0;
        int r = begin(uploads, upload, &outgoings->items[uploads->next++], error);
        if (r < 0)
            return r;
    }
    return ask(uploads, upload, exchange, error);
}

/* What need not travel counts as done. */
static void pass_over(struct upload *upload) {
    progress_advance(upload->progress, 1, upload->outgoing->what,
                     upload->outgoing->blob.size - upload->farthest, NULL);
    upload->step = UPLOAD_DONE;
}

static int take_question(const struct uploads *uploads, struct upload *upload,
                         const struct exchange *exchange, vqemu_error **error) {
    if (answer_is_good(&exchange->answer)) {
        pass_over(upload);
        return 0;
    }
    if (exchange->answer.status != 404 && !blob_is_unasked(&exchange->answer))
        return session_refused(uploads->session, exchange, error);
    upload->outgoing->travels = true;
    if (uploads->outgoings->only_asks)
        pass_over(upload);
    else
        upload->step = UPLOAD_SENDS;
    return 0;
}

static int read_failed(const struct uploads *uploads, const struct upload *upload,
                       vqemu_error **error) {
    const struct oci_revision *out = uploads->outgoings->out;
    const struct manifest_object *object = upload->outgoing->object;
    if (upload->fault == UPLOAD_PACK_FAILED)
        return error_copy(upload->error, error);
    if (!object) /* it was read for its digest, and an object of it is another one now */
        return error_set(error, VQEMU_ERR_CORRUPT, 0, "%s of %s is not read as it was before",
                         upload->outgoing->what, vqemu_revision_name(out->revision));
    if (upload->fault == UPLOAD_DAMAGED)
        return oci_revision_damaged(out, object, error);
    return revision_object_failed(out->store, out->revision, object, upload->system_errno, "",
                                  error);
}

/* Mounted, it has not travelled. */
static int take_upload(const struct uploads *uploads, struct upload *upload,
                       const struct exchange *exchange, vqemu_error **error) {
    if (upload->fault != UPLOAD_FINE)
        return read_failed(uploads, upload, error);
    if (!answer_is_good(&exchange->answer))
        return session_refused(uploads->session, exchange, error);
    upload->outgoing->travels = exchange->is_sending;
    pass_over(upload);
    return 0;
}

static int take_answer(void *context, unsigned slot, struct exchange *exchange,
                       vqemu_error **error) {
    struct uploads *uploads = context;
    struct upload *upload = &uploads->slots[slot];
    int r = upload->step == UPLOAD_ASKS ? take_question(uploads, upload, exchange, error)
                                        : take_upload(uploads, upload, exchange, error);
    if (r < 0 || upload->step == UPLOAD_DONE)
        end_upload(upload);
    return r;
}

int outgoings_send(const struct outgoings *outgoings, struct session *session,
                   vqemu_error **error) {
    _cleanup_free_ struct uploads *uploads = calloc(1, sizeof *uploads);
    const struct exchange_source source = {next_request, take_answer, uploads};
    if (!uploads)
        return error_no_memory(error);
    *uploads = (struct uploads){.outgoings = outgoings, .session = session};
    for (size_t i = 0; i < REMOTE_CONNECTIONS_MAX; i++)
        uploads->slots[i].fd = -1;
    progress_start(session->progress, "push", "bytes", size_of(outgoings));
    int r = session_run_all(session, &source, error);
    for (size_t i = 0; i < REMOTE_CONNECTIONS_MAX; i++)
        end_upload(&uploads->slots[i]);
    return r;
}
