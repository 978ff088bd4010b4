/* SPDX-License-Identifier: MIT */
/* Manifests of a repository are deleted. */
#include <stdlib.h>

#include <volt-qemu/push.h>

#include "base/error.h"
#include "remote/blob.h"
#include "util/export.h"
#include "util/strbuf.h"

/* The digest, which is what can be deleted: some registries tell it only with the manifest. */
static int find_digest(struct session *session, const char *reference, char digest[OCI_DIGEST_SIZE],
                       vqemu_error **error) {
    _cleanup_free_ char *text = NULL;
    struct oci_blob blob;
    int r = blob_ask_manifest(session, reference, digest, error);
    if (r < 0 || *digest)
        return r;
    r = blob_fetch_manifest(session, reference, &text, &blob, error);
    if (r == 0)
        oci_digest_to_text(&blob.digest, digest);
    return r;
}

static int check_answer(const struct session *session, const struct exchange *exchange,
                        const char *what, vqemu_error **error) {
    long status = exchange->answer.status;
    if (status == 404)
        return session_got_nothing(session, exchange, what, error);
    const struct failed failed = session_failed(session, exchange);
    if (status == 400 || status == 405)
        return failure_of_deletion(&failed, error);
    return answer_is_good(&exchange->answer) ? 0 : session_refused(session, exchange, error);
}

static int delete_manifest(struct session *session, const char *reference, const char *digest,
                           vqemu_error **error) {
    _cleanup_free_ char *target = blob_manifest_target(session->remote, digest);
    _cleanup_free_ char *what = format_string("manifest %s", reference);
    _cleanup_(exchange_release) struct exchange exchange = {
        .request = {.method = "DELETE", .target = target, .body_max = ANSWER_MAX},
    };
    if (!target || !what)
        return error_no_memory(error);
    int r = session_run(session, &exchange, error);
    return r == 0 ? check_answer(session, &exchange, what, error) : r;
}

VQEMU_EXPORT int vqemu_remote_delete(const vqemu_remote *remote, const char *reference,
                                     uint32_t flags, vqemu_call *call, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(remote, error);
    REQUIRE_ARGUMENT(reference, error);
    REQUIRE_FLAGS(flags, 0, error);
    char digest[OCI_DIGEST_SIZE];
    struct vqemu_progress progress = {.call = call, .phase_count = 1};
    _cleanup_(session_close) struct session session = {
        .remote = remote, .doing = "delete a manifest of", .progress = &progress};
    int r = blob_check_reference(reference, error);
    if (r == 0)
        r = session_open(&session, "pull,delete", error);
    if (r == 0)
        r = find_digest(&session, reference, digest, error);
    return r == 0 ? delete_manifest(&session, reference, digest, error) : r;
}
