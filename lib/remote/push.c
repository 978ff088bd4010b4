/* SPDX-License-Identifier: MIT */
/* A revision -> a repository of a registry. */
#include "remote/push.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "remote/blob.h"
#include "remote/upload.h"
#include "transfer/oci-layout.h"
#include "util/export.h"
#include "util/path.h"
#include "util/strbuf.h"
#include "util/word.h"

struct pushing {
    const char *tag;
    struct oci_revision out;
    struct outgoings outgoings;
    char *text; /* of the OCI manifest */
    struct oci_blob manifest;
    struct session session;
    struct vqemu_progress progress;
};

static void release_pushing(struct pushing *pushing) {
    session_close(&pushing->session);
    outgoings_release(&pushing->outgoings);
    oci_revision_release(&pushing->out);
    free(pushing->text);
}

/* ---- the OCI manifest ---- */

/* The bytes of it, as they are sent. */
struct text_body {
    const char *text;
    size_t size, sent;
};

static ssize_t give_text(void *context, void *bytes, size_t size) {
    struct text_body *body = context;
    size_t left = body->size - body->sent, n = size < left ? size : left;
    memcpy(bytes, body->text + body->sent, n);
    body->sent += n;
    return (ssize_t)n;
}

static int rewind_text(void *context) {
    struct text_body *body = context;
    body->sent = 0;
    return 0;
}

/* The digests that a refusal names, wherever it has them: those are wanted. */
static bool want_named(struct outgoings *outgoings, const json_t *value) {
    const char *text = json_string_value(value), *key;
    struct digest digest;
    bool found = false;
    size_t i;
    json_t *item;
    if (json_is_object(value))
        json_object_foreach((json_t *)(uintptr_t)value, key, item) found |=
            want_named(outgoings, item);
    json_array_foreach(value, i, item) found |= want_named(outgoings, item);
    if (!text || !oci_digest_of_text(text, &digest))
        return found;
    for (i = 0; i < outgoings->count; i++) {
        struct outgoing *outgoing = &outgoings->items[i];
        if (!digest_equal(&outgoing->blob.digest, &digest))
            continue;
        outgoing->is_wanted = found = true;
    }
    return found;
}

/* Whether a refusal says that blobs are not there, which the registry has said to have; they are
 * wanted then, or all if it does not say which. */
static bool lacks_blobs(struct outgoings *outgoings, const struct answer *answer) {
    _cleanup_json_ json_t *object = NULL;
    const char *text = answer->body.text ? answer->body.text : "";
    if ((answer->status != 400 && answer->status != 404) || !strstr(text, "BLOB_UNKNOWN"))
        return false;
    bool is_whole = json_parse_object(text, answer->body.length, "the answer", &object, NULL) == 0;
    if (!is_whole || !want_named(outgoings, object))
        for (size_t i = 0; i < outgoings->count; i++)
            outgoings->items[i].is_wanted = true;
    return true;
}

static int refused(const struct pushing *pushing, const struct exchange *exchange,
                   vqemu_error **error) {
    long status = exchange->answer.status;
    const struct failed failed = session_failed(&pushing->session, exchange);
    if (status == 400 || status == 405 || status == 415 || status == 422)
        return failure_of_manifest(&failed, error);
    return session_refused(&pushing->session, exchange, error);
}

/*
 * A registry says that it has it, by its digest or by the status for that: a web server before it
 * may have something good to say to everybody. Who rewrites a manifest has it under another digest:
 * nobody who was told this one finds it.
 */
static int check_stored(const struct pushing *pushing, const struct exchange *exchange,
                        vqemu_error **error) {
    const char *told = answer_header(&exchange->answer, "Docker-Content-Digest", 0);
    long status = exchange->answer.status;
    struct digest digest;
    bool is_told = told && oci_digest_of_text(told, &digest);
    if (is_told && !digest_equal(&digest, &pushing->manifest.digest))
        return session_misled(&pushing->session, exchange,
                              "that it has stored an OCI manifest of another digest", error);
    if (is_told || ((status == 201 || status == 202) && !answer_is_page(&exchange->answer)))
        return 0;
    return session_misled(&pushing->session, exchange,
                          "not that it has stored the OCI manifest: it is no registry, or somebody "
                          "is in the way",
                          error);
}

/* *lacks: not yet, since blobs are missing, which are wanted then. */
static int put_manifest(struct pushing *pushing, const char *tag, bool *lacks,
                        vqemu_error **error) {
    struct text_body text = {.text = pushing->text, .size = (size_t)pushing->manifest.size};
    const struct http_upload body = {text.size, OCI_MANIFEST_TYPE, give_text, rewind_text, &text};
    _cleanup_free_ char *target = blob_manifest_target(pushing->session.remote, tag);
    _cleanup_free_ char *doing = format_string("set the tag %s of", tag);
    _cleanup_(exchange_release) struct exchange exchange = {
        .request = {.method = "PUT",
                    .target = target,
                    .doing = doing,
                    .body_max = ANSWER_MAX,
                    .upload = &body},
    };
    if (!target || !doing)
        return error_no_memory(error);
    int r = session_run(&pushing->session, &exchange, error);
    bool can_help = lacks && r == 0 && lacks_blobs(&pushing->outgoings, &exchange.answer);
    if (lacks)
        *lacks = can_help;
    if (r < 0 || can_help)
        return r;
    return answer_is_good(&exchange.answer) ? check_stored(pushing, &exchange, error)
                                            : refused(pushing, &exchange, error);
}

/* ---- all of it ---- */

/* Whether the tag names this very OCI manifest: 1, 0 or an error. */
static int is_there(struct pushing *pushing, const char *tag, vqemu_error **error) {
    char own[OCI_DIGEST_SIZE], told[OCI_DIGEST_SIZE];
    _cleanup_error_ vqemu_error *other = NULL;
    oci_digest_to_text(&pushing->manifest.digest, own);
    int r = blob_ask_manifest(&pushing->session, tag, told, &other);
    if (r == VQEMU_ERR_NOT_FOUND)
        return 0;
    return r < 0 ? error_copy(other, error) : strcmp(own, told) == 0;
}

/* A tag that moves comes last: who sees it finds all. */
static int set_tags(struct pushing *pushing, bool *lacks, vqemu_error **error) {
    const char *name = vqemu_revision_name(pushing->out.revision);
    int r = put_manifest(pushing, name, lacks, error);
    if (r < 0 || (lacks && *lacks) || strcmp(name, pushing->tag) == 0)
        return r;
    return put_manifest(pushing, pushing->tag, NULL, error);
}

static int send_all(struct pushing *pushing, vqemu_error **error) {
    struct outgoings *outgoings = &pushing->outgoings;
    bool lacks = false;
    int r = outgoings_send(outgoings, &pushing->session, error);
    if (r == 0 && !outgoings->only_asks)
        r = set_tags(pushing, &lacks, error);
    if (r < 0 || !lacks)
        return r;
    outgoings->only_wanted = true;
    r = outgoings_send(outgoings, &pushing->session, error);
    return r == 0 ? set_tags(pushing, NULL, error) : r;
}

static void count(const struct pushing *pushing, vqemu_push *push) {
    oci_digest_to_text(&pushing->manifest.digest, push->digest);
    push->blob_count = pushing->outgoings.count;
    for (size_t i = 0; i < push->blob_count; i++) {
        const struct outgoing *outgoing = &pushing->outgoings.items[i];
        push->bytes += outgoing->blob.size;
        push->new_bytes += outgoing->travels ? outgoing->blob.size : 0;
        push->new_blob_count += outgoing->travels;
    }
}

static int push(struct pushing *pushing, uint32_t flags, vqemu_push *push, vqemu_error **error) {
    struct outgoings *outgoings = &pushing->outgoings;
    int r = oci_revision_pack(&pushing->out, &pushing->progress, error);
    if (r == 0 && outgoings_list(outgoings, &pushing->out) < 0)
        r = error_no_memory(error);
    if (r == 0)
        r = oci_revision_describe(&pushing->out, &pushing->text, &pushing->manifest, error);
    if (r == 0)
        r = session_open(&pushing->session, "pull,push", error);
    if (r == 0)
        r = is_there(pushing, pushing->tag, error);
    if (r < 0)
        return r;
    push->is_new = r == 0;
    outgoings->only_asks = flags & VQEMU_PUSH_DRY_RUN;
    for (size_t i = 0; i < outgoings->count; i++)
        outgoings->items[i].is_wanted = flags & VQEMU_PUSH_FORCE;
    r = push->is_new || (flags & VQEMU_PUSH_FORCE) ? send_all(pushing, error) : 0;
    count(pushing, push);
    return r;
}

static int check_mount(const vqemu_remote *remote, vqemu_error **error) {
    vqemu_remote *other = NULL;
    if (!remote->mount_from)
        return 0;
    _cleanup_free_ char *repository = join_path(remote->authority, remote->mount_from);
    int r = repository ? vqemu_remote_new(repository, &other, error) : error_no_memory(error);
    vqemu_remote_free(other);
    return r;
}

VQEMU_EXPORT int vqemu_store_push(vqemu_store *store, const vqemu_revision *revision,
                                  const vqemu_remote *remote, const char *tag, uint32_t flags,
                                  vqemu_call *call, vqemu_push **pushed, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(pushed, error);
    *pushed = NULL;
    REQUIRE_STORE(store, error);
    REQUIRE_ARGUMENT(revision, error);
    REQUIRE_ARGUMENT(remote, error);
    REQUIRE_FLAGS(flags, VQEMU_PUSH_FORCE | VQEMU_PUSH_DRY_RUN, error);
    _cleanup_(release_pushing) struct pushing pushing = {
        .tag = tag ? tag : USUAL_TAG,
        .session = {.remote = remote,
                    .doing = "send the objects to",
                    .progress = &pushing.progress},
        .progress = {.call = call, .phase_count = 1},
    };
    _cleanup_push_ vqemu_push *new = calloc(1, sizeof *new);
    int r = new ? oci_layout_check_tag(pushing.tag, error) : error_no_memory(error);
    if (r == 0)
        r = check_mount(remote, error);
    if (r == 0)
        r = oci_revision_load(&pushing.out, store, revision, call, error);
    if (r == 0)
        r = push(&pushing, flags, new, error);
    if (r == 0)
        *pushed = TAKE_POINTER(new);
    return r;
}
