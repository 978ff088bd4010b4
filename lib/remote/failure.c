/* SPDX-License-Identifier: MIT */
#include "remote/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "util/strbuf.h"

/* ---- parts of messages ---- */

static int tell(const struct failed *failed, int code, const char *reason, vqemu_error **error,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

static int tell(const struct failed *failed, int code, const char *reason, vqemu_error **error,
                const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int r = error_set_va(error, code, 0, format, arguments);
    va_end(arguments);
    _cleanup_free_ char *host = url_authority(failed->url);
    error_prefix(r, error, "cannot %s %s: %s ", failed->doing, failed->remote->repository,
                 host ? host : failed->url->host);
    return error_because(r, error, reason, VQEMU_DETAIL_HOST, host, NULL);
}

/* " (tried 3 times)" */
#define TRIES_SIZE 32
static const char *describe_tries(const struct failed *failed, char text[TRIES_SIZE]) {
    text[0] = '\0';
    if (failed->tries > 1)
        snprintf(text, TRIES_SIZE, " (tried %u times)", failed->tries);
    return text;
}

/* ": its words", or nothing; NULL without memory. */
static char *describe_words(const struct failed *failed) {
    _cleanup_free_ char *words = answer_words(failed->answer);
    return words ? format_string("%s%s", *words ? ": " : "", words) : NULL;
}

static const char *user_of(const vqemu_remote *remote) {
    return remote->user ? remote->user : "who has the identity token";
}

/* ---- no answer ---- */

static int unreachable(const struct failed *failed, const char *how, const char *problem,
                       vqemu_error **error) {
    char tries[TRIES_SIZE];
    return tell(failed, VQEMU_ERR_NETWORK, "unreachable", error, "%s: %s%s", how, problem,
                describe_tries(failed, tries));
}

/* It is this side's, such as a limit of descriptors. */
static int no_socket(const struct failed *failed, int system_errno, vqemu_error **error) {
    _cleanup_free_ char *host = url_authority(failed->url);
    int r = error_system(
        error, system_errno, "cannot %s %s: %s is not asked, since no socket can be made",
        failed->doing, failed->remote->repository, host ? host : failed->url->host);
    return error_because(r, error, "socket-failed", VQEMU_DETAIL_HOST, host, NULL);
}

static int no_tls(const struct failed *failed, const char *problem, const char *advice,
                  vqemu_error **error) {
    return tell(failed, VQEMU_ERR_NETWORK, "no-tls", error, "and this side agree on no TLS: %s; %s",
                problem, advice);
}

static int bad_certificate(const struct failed *failed, const char *problem, vqemu_error **error) {
    return tell(failed, VQEMU_ERR_NETWORK, "certificate", error,
                "has a certificate that is not trusted: %s; if it is of an authority of your own, "
                "set that as CA file",
                problem);
}

static int proxy_refused(const struct failed *failed, long status, vqemu_error **error) {
    char tries[TRIES_SIZE];
    return tell(failed, VQEMU_ERR_NETWORK, "proxy-refused", error,
                "is behind a proxy, which answers with status %ld%s%s", status,
                describe_tries(failed, tries),
                status == 407 ? ": it wants a login, or another one than it was given" : "");
}

int failure_of_transfer(const struct failed *failed, const struct http_transfer *transfer,
                        vqemu_error **error) {
    const char *problem = transfer->problem;
    switch (transfer->outcome) {
    case HTTP_NO_MEMORY:
        return error_no_memory(error);
    case HTTP_NO_SOCKET:
        return no_socket(failed, transfer->system_errno, error);
    case HTTP_CERTIFICATE:
        return bad_certificate(failed, problem, error);
    case HTTP_FILE:
        return tell(failed, VQEMU_ERR_NETWORK, "certificate", error,
                    "was not asked: a file of certificates that was set cannot be used: %s",
                    problem);
    case HTTP_NO_TLS:
        return no_tls(failed, problem, "perhaps it talks plain HTTP", error);
    case HTTP_HUNG_UP_ON_US:
        return no_tls(failed, problem, "perhaps it wants a client certificate", error);
    case HTTP_REFUSED_ADDRESS:
        return tell(failed, VQEMU_ERR_DENIED, "local-address", error,
                    "has an address of this host or its link, where a registry that is elsewhere "
                    "must not send anybody");
    case HTTP_PROXY_REFUSED:
        return proxy_refused(failed, transfer->proxy_status, error);
    case HTTP_ENDED:
    case HTTP_TOO_LARGE:
        return failure_of_sense(failed, "with more than a registry has to say", error);
    case HTTP_LONG_LINE:
        return failure_of_sense(failed, "with a header line that is too long", error);
    case HTTP_STALLED:
        return unreachable(failed, "is too slow", problem, error);
    case HTTP_BROKEN_OFF:
        return unreachable(failed, "has broken off", problem, error);
    default:
        return unreachable(failed, "does not answer", problem, error);
    }
}

/* ---- refusals ---- */

static int denied(const struct failed *failed, const char *words, vqemu_error **error) {
    const vqemu_remote *remote = failed->remote;
    if (!remote_has_login(remote))
        return tell(failed, VQEMU_ERR_DENIED, "login-missing", error,
                    "wants a login, and there is none%s", words);
    return tell(failed, VQEMU_ERR_DENIED, "login-refused", error, "does not take the login of %s%s",
                user_of(remote), words);
}

static int forbidden(const struct failed *failed, const char *words, vqemu_error **error) {
    const vqemu_remote *remote = failed->remote;
    return tell(failed, VQEMU_ERR_DENIED, "forbidden", error, "forbids it to %s%s",
                remote_has_login(remote) ? user_of(remote) : "whom there is no login of", words);
}

static int not_found(const struct failed *failed, const char *words, vqemu_error **error) {
    return tell(failed, VQEMU_ERR_NOT_FOUND, "no-repository", error,
                "has no such repository, or hides it%s%s",
                remote_has_login(failed->remote) ? "" : " from who is not logged in", words);
}

static int throttled(const struct failed *failed, const char *words, vqemu_error **error) {
    char tries[TRIES_SIZE], pause[64] = "";
    if (failed->answer->retry_after > 0)
        snprintf(pause, sizeof pause, ", and a pause of %lld s",
                 (long long)failed->answer->retry_after);
    return tell(failed, VQEMU_ERR_NETWORK, "throttled", error, "wants fewer requests%s%s%s", pause,
                describe_tries(failed, tries), words);
}

static int server_failed(const struct failed *failed, const char *words, vqemu_error **error) {
    char tries[TRIES_SIZE];
    bool may_be_tls = failed->answer->status == 400 && !failed->url->is_https;
    return tell(failed, VQEMU_ERR_NETWORK, "server-failed", error, "answers with status %ld%s%s%s",
                failed->answer->status, describe_tries(failed, tries), words,
                may_be_tls ? "; perhaps it does not talk plain HTTP" : "");
}

static int too_large(const struct failed *failed, vqemu_error **error) {
    return tell(failed, VQEMU_ERR_UNSUPPORTED, "request-too-large", error,
                "refuses requests of this size: a proxy before the registry may have a limit, such "
                "as client_max_body_size of nginx");
}

/* Where requests are counted, too many can be a 403 as well. */
static bool is_throttled(const struct answer *answer, const char *words) {
    return answer->status == 429 ||
           (answer->status == 403 && (strstr(words, "rate limit") || strstr(words, "TOOMANY")));
}

int failure_of_answer(const struct failed *failed, vqemu_error **error) {
    _cleanup_free_ char *words = describe_words(failed);
    if (!words)
        return error_no_memory(error);
    if (is_throttled(failed->answer, words))
        return throttled(failed, words, error);
    switch (failed->answer->status) {
    case 401:
        return denied(failed, words, error);
    case 403:
        return forbidden(failed, words, error);
    case 404:
        return not_found(failed, words, error);
    case 407:
        return proxy_refused(failed, 407, error);
    case 413:
        return too_large(failed, error);
    default:
        return server_failed(failed, words, error);
    }
}

int failure_of_manifest(const struct failed *failed, vqemu_error **error) {
    _cleanup_free_ char *words = describe_words(failed);
    if (!words)
        return error_no_memory(error);
    return tell(failed, VQEMU_ERR_UNSUPPORTED, "manifest-refused", error,
                "does not take the OCI manifest, with status %ld%s", failed->answer->status, words);
}

int failure_of_deletion(const struct failed *failed, vqemu_error **error) {
    _cleanup_free_ char *words = describe_words(failed);
    if (!words)
        return error_no_memory(error);
    return tell(failed, VQEMU_ERR_UNSUPPORTED, "deletes-nothing", error,
                "deletes no manifests, with status %ld%s", failed->answer->status, words);
}

int failure_of_sense(const struct failed *failed, const char *how, vqemu_error **error) {
    return tell(failed, VQEMU_ERR_MALFORMED, "not-a-registry", error, "answers %s", how);
}

int failure_of_content(const struct failed *failed, const char *how, vqemu_error **error) {
    return tell(failed, VQEMU_ERR_CORRUPT, "blob-damaged", error, "%s%s", how,
                answer_is_page(failed->answer) ? ": a web page, so that somebody may be in the way"
                                               : "");
}

int failure_of_lack(const struct failed *failed, const char *what, vqemu_error **error) {
    _cleanup_free_ char *words = describe_words(failed);
    if (!words)
        return error_no_memory(error);
    return tell(failed, VQEMU_ERR_NOT_FOUND, "no-manifest", error, "has no %s, or hides it%s%s",
                what, remote_has_login(failed->remote) ? "" : " from who is not logged in", words);
}
