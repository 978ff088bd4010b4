/* SPDX-License-Identifier: MIT */
#include "remote/blob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "transfer/oci-layout.h"
#include "util/strbuf.h"
#include "util/word.h"

/* What is asked for decides what comes: without the right types, registries have no such manifest.
 * Those of others are asked for to be told apart. */
#define MANIFEST_TYPES                                                                             \
    OCI_MANIFEST_TYPE ", " OCI_INDEX_TYPE                                                          \
                      ", application/vnd.docker.distribution.manifest.v2+json, "                   \
                      "application/vnd.docker.distribution.manifest.list.v2+json"

bool blob_is_digest(const char *reference) {
    return begins_with(reference, OCI_DIGEST_ALGORITHM);
}

int blob_check_reference(const char *reference, vqemu_error **error) {
    struct digest digest;
    if (!blob_is_digest(reference))
        return oci_layout_check_tag(reference, error);
    if (oci_digest_of_text(reference, &digest))
        return 0;
    int r = error_set(
        error, VQEMU_ERR_INVALID, 0,
        "\"%.200s\" is no digest: behind \"sha256:\", one has 64 lowercase hex digits", reference);
    return error_because(r, error, "tag", VQEMU_DETAIL_VALUE, reference, NULL);
}

char *blob_target(const vqemu_remote *remote, const struct digest *digest) {
    return format_string("/v2/%s/blobs/" OCI_DIGEST_ALGORITHM "%s", remote->name, digest->hex);
}

char *blob_manifest_target(const vqemu_remote *remote, const char *reference) {
    return format_string("/v2/%s/manifests/%s", remote->name, reference);
}

/* ---- manifests ---- */

/* A repository that is not there has no manifest either. */
static int check_manifest_answer(const struct session *session, const struct exchange *exchange,
                                 const char *what, vqemu_error **error) {
    if (exchange->answer.status == 404)
        return session_got_nothing(session, exchange, what, error);
    if (!answer_is_good(&exchange->answer))
        return session_refused(session, exchange, error);
    if (answer_is_page(&exchange->answer))
        return session_misled(session, exchange,
                              "with a web page: it is no registry, or somebody is in the way",
                              error);
    return 0;
}

bool blob_is_unasked(const struct answer *answer) {
    return answer->status == 405 || answer->status == 501;
}

int blob_ask_manifest(struct session *session, const char *reference, char digest[OCI_DIGEST_SIZE],
                      vqemu_error **error) {
    struct digest parsed;
    _cleanup_free_ char *target = blob_manifest_target(session->remote, reference);
    _cleanup_free_ char *what = format_string("manifest %s", reference);
    _cleanup_(exchange_release) struct exchange exchange = {
        .request = {.method = "HEAD", .target = target, .accept = MANIFEST_TYPES},
    };
    *digest = '\0';
    if (!target || !what)
        return error_no_memory(error);
    int r = session_run(session, &exchange, error);
    if (r == 0 && !blob_is_unasked(&exchange.answer))
        r = check_manifest_answer(session, &exchange, what, error);
    const char *told = answer_header(&exchange.answer, "Docker-Content-Digest", 0);
    if (r == 0 && told && oci_digest_of_text(told, &parsed))
        oci_digest_to_text(&parsed, digest);
    return r;
}

/* It is by the digest that was asked for, or that the registry tells. */
static int check_digest(const struct session *session, const struct exchange *exchange,
                        const char *reference, const struct digest *digest, vqemu_error **error) {
    char own[OCI_DIGEST_SIZE];
    const char *told = answer_header(&exchange->answer, "Docker-Content-Digest", 0);
    oci_digest_to_text(digest, own);
    if (blob_is_digest(reference))
        told = reference;
    if (!told || !blob_is_digest(told) || strcmp(told, own) == 0)
        return 0;
    return session_got_damaged(session, exchange, "sends what has another digest", error);
}

/* The body, for the caller to own. */
static int take_body(struct exchange *exchange, char **text, size_t *size, vqemu_error **error) {
    *size = exchange->answer.body.length;
    *text = strbuf_take(&exchange->answer.body);
    return *text ? 0 : error_no_memory(error);
}

static int fetch_manifest(struct session *session, const char *reference, char **text,
                          struct oci_blob *blob, vqemu_error **error) {
    _cleanup_free_ char *target = blob_manifest_target(session->remote, reference);
    _cleanup_free_ char *what = format_string("manifest %s", reference);
    _cleanup_free_ char *doing = format_string("fetch the manifest %s of", reference);
    _cleanup_free_ char *body = NULL;
    size_t size = 0;
    _cleanup_(exchange_release) struct exchange exchange = {
        .request = {.method = "GET",
                    .target = target,
                    .accept = MANIFEST_TYPES,
                    .doing = doing,
                    .body_max = OCI_MANIFEST_MAX},
    };
    if (!target || !what || !doing)
        return error_no_memory(error);
    int r = session_run(session, &exchange, error);
    if (r == 0)
        r = check_manifest_answer(session, &exchange, what, error);
    if (r == 0)
        r = take_body(&exchange, &body, &size, error);
    if (r < 0)
        return r;
    *blob = (struct oci_blob){digest_of_bytes(body, size), size};
    r = check_digest(session, &exchange, reference, &blob->digest, error);
    if (r == 0)
        *text = TAKE_POINTER(body);
    return r;
}

/* Of a mirror, a cache or a way that damages now and then, the next answer may be good. */
static bool is_worth_another(int code, vqemu_error **error) {
    if (code == VQEMU_ERR_CORRUPT && error)
        error_begin(error);
    return code == VQEMU_ERR_CORRUPT;
}

int blob_fetch_manifest(struct session *session, const char *reference, char **text,
                        struct oci_blob *blob, vqemu_error **error) {
    int r = fetch_manifest(session, reference, text, blob, error);
    return is_worth_another(r, error) ? fetch_manifest(session, reference, text, blob, error) : r;
}

/* ---- blobs ---- */

int blob_check_answer(const struct session *session, const struct exchange *exchange,
                      vqemu_error **error) {
    char fault[SINK_FAULT_SIZE];
    const struct sink *sink = exchange->request.sink;
    if (exchange->answer.status == 404)
        return session_got_damaged(session, exchange, "does not have it", error);
    if (!answer_is_good(&exchange->answer))
        return session_refused(session, exchange, error);
    if (sink->fault == SINK_FINE || sink->fault == SINK_ENOUGH)
        return 0;
    return session_got_damaged(session, exchange, sink_describe(sink, fault), error);
}

static int add_text(void *context, const void *bytes, size_t size) {
    struct strbuf *text = context;
    strbuf_add_bytes(text, bytes, size);
    return text->failed ? -ENOMEM : 0;
}

static int drop_text(void *context) {
    strbuf_truncate(context, 0);
    return 0;
}

static int check_limit(const struct session *session, const struct oci_blob *blob, const char *what,
                       size_t limit, vqemu_error **error) {
    if (blob->size > 0 && blob->size <= limit)
        return 0;
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: %s has %llu bytes, not from 1 to %zu",
                     session->remote->repository, what, (unsigned long long)blob->size, limit);
}

static int check_text(const struct session *session, const struct exchange *exchange,
                      const struct oci_blob *blob, const struct strbuf *text, vqemu_error **error) {
    if (exchange->request.sink->fault == SINK_WRITE_FAILED)
        return error_no_memory(error);
    int r = blob_check_answer(session, exchange, error);
    if (r < 0)
        return r;
    const struct digest digest = digest_of_bytes(text->text, text->length);
    return digest_equal(&digest, &blob->digest)
               ? 0
               : session_got_damaged(session, exchange, "sends what has another digest", error);
}

static int fetch_text(struct session *session, const struct oci_blob *blob, const char *what,
                      char **text, vqemu_error **error) {
    _cleanup_free_ char *target = blob_target(session->remote, &blob->digest);
    _cleanup_free_ char *doing = format_string("fetch %s from", what);
    _cleanup_strbuf_ struct strbuf body = {0};
    struct sink sink = {.size = blob->size,
                        .whole = blob->size,
                        .write = add_text,
                        .restart = drop_text,
                        .context = &body};
    _cleanup_(exchange_release) struct exchange exchange = {
        .request = {.method = "GET", .target = target, .doing = doing, .sink = &sink},
    };
    int r = target && doing ? session_run(session, &exchange, error) : error_no_memory(error);
    if (r == 0)
        r = check_text(session, &exchange, blob, &body, error);
    if (r < 0)
        return r;
    *text = strbuf_take(&body);
    return *text ? 0 : error_no_memory(error);
}

int blob_fetch_text(struct session *session, const struct oci_blob *blob, const char *what,
                    size_t limit, char **text, vqemu_error **error) {
    int r = check_limit(session, blob, what, limit, error);
    if (r == 0)
        r = fetch_text(session, blob, what, text, error);
    return is_worth_another(r, error) ? fetch_text(session, blob, what, text, error) : r;
}
