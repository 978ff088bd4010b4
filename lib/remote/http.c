/* SPDX-License-Identifier: MIT */
#include "remote/http.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION /* of bit masks, which old versions have as well */
#include <curl/curl.h>

#include <volt-qemu/version.h>

#include "base/dlopen-note.h"
#include "base/error.h"
#include "base/optional-library.h"
#include "remote/url.h"
#include "util/fd.h"
#include "util/word.h"

DLOPEN_NOTE(curl, "[{\"feature\":\"registries\",\"description\":\"OCI registries\","
                  "\"priority\":\"recommended\",\"soname\":[\"libcurl.so.4\","
                  "\"libcurl-gnutls.so.4\"]}]");

#define HEADERS_MAX ((size_t)64 * 1024)
#define ERROR_BODY_MAX ((size_t)64 * 1024)
#define SMALL_UPLOAD ((uint64_t)1024 * 1024)
#define SLOWEST 1000      /* bytes a second */
#define LINE_TOO_LONG 100 /* CURLE_TOO_LARGE, which is of 8.6 */
#define LINE_MAX_OF_CURL ((size_t)100 * 1024)

struct http {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_global_cleanup) *global_cleanup;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_setopt) *set;
    __typeof__(curl_easy_getinfo) *get;
    __typeof__(curl_easy_strerror) *describe;
    __typeof__(curl_multi_init) *multi_init;
    __typeof__(curl_multi_cleanup) *multi_cleanup;
    __typeof__(curl_multi_add_handle) *add;
    __typeof__(curl_multi_remove_handle) *remove;
    __typeof__(curl_multi_perform) *perform;
    __typeof__(curl_multi_poll) *poll;
    __typeof__(curl_multi_info_read) *read_info;
    __typeof__(curl_slist_append) *append;
    __typeof__(curl_slist_free_all) *free_list;
    struct http_settings settings;
    CURLM *multi;
    bool is_initialised;
};

/* ---- the library ---- */

/* Before 7.84 its initialisation was not safe from several threads. */
static pthread_mutex_t initialising = PTHREAD_MUTEX_INITIALIZER;

static bool load(struct http *http, const char *soname, const char **problem) {
    const struct optional_function functions[] = {
        {"curl_global_init", &http->global_init},
        {"curl_global_cleanup", &http->global_cleanup},
        {"curl_easy_init", &http->easy_init},
        {"curl_easy_cleanup", &http->easy_cleanup},
        {"curl_easy_setopt", &http->set},
        {"curl_easy_getinfo", &http->get},
        {"curl_easy_strerror", &http->describe},
        {"curl_multi_init", &http->multi_init},
        {"curl_multi_cleanup", &http->multi_cleanup},
        {"curl_multi_add_handle", &http->add},
        {"curl_multi_remove_handle", &http->remove},
        {"curl_multi_perform", &http->perform},
        {"curl_multi_poll", &http->poll},
        {"curl_multi_info_read", &http->read_info},
        {"curl_slist_append", &http->append},
        {"curl_slist_free_all", &http->free_list},
    };
    return optional_library_load(soname, functions, sizeof functions / sizeof *functions, problem);
}

static int library_missing(const char *problem, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                      "registries need libcurl, but neither libcurl.so.4 nor libcurl-gnutls.so.4 "
                      "can be used: %s",
                      problem ? problem : "no memory");
    return error_because(r, error, "library-missing", NULL);
}

static int initialise(struct http *http) {
    pthread_mutex_lock(&initialising);
    http->is_initialised = http->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    pthread_mutex_unlock(&initialising);
    http->multi = http->is_initialised ? http->multi_init() : NULL;
    return http->multi ? 0 : -ENOMEM;
}

int http_open(const struct http_settings *settings, struct http **http, vqemu_error **error) {
    const char *problem;
    struct http *new = calloc(1, sizeof *new);
    *http = new;
    if (!new)
        return error_no_memory(error);
    new->settings = *settings;
    if (!load(new, "libcurl.so.4", &problem) && !load(new, "libcurl-gnutls.so.4", &problem))
        return library_missing(problem, error);
    return initialise(new) < 0 ? error_no_memory(error) : 0;
}

void http_close(struct http *http) {
    if (!http)
        return;
    if (http->multi)
        http->multi_cleanup(http->multi);
    if (http->is_initialised) {
        pthread_mutex_lock(&initialising);
        http->global_cleanup();
        pthread_mutex_unlock(&initialising);
    }
    free(http);
}

/* ---- what libcurl calls ---- */

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to) {
    struct http_transfer *transfer = context;
    (void)purpose;
    bool is_local = address_is_local(&to->addr);
    if (transfer->public_only && is_local) {
        transfer->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    transfer->reached_local = is_local;
    int fd = fd_above_stdio(socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol));
    transfer->had_socket |= fd >= 0;
    if (fd < 0)
        transfer->system_errno = -fd;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static long status_of(const struct http_transfer *transfer) {
    long status = 0;
    transfer->http->get(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* Each answer begins with a line of its status: those before the last one, such as 100, are
 * nobody's concern. */
static size_t take_header(char *bytes, size_t size, size_t count, void *context) {
    struct http_transfer *transfer = context;
    struct answer *answer = transfer->answer;
    size_t total = size * count, length = total;
    while (length > 0 && strchr("\r\n", bytes[length - 1]))
        length--;
    if (length >= 5 && strncmp(bytes, "HTTP/", 5) == 0)
        answer_release(answer);
    answer->header_bytes += total;
    if (answer->header_bytes > HEADERS_MAX) {
        transfer->too_large = true;
        return 0;
    }
    if (length > 0)
        strv_addf(&answer->headers, "%.*s", (int)length, bytes);
    else
        transfer->is_refused = status_of(transfer) >= 400;
    return answer->headers.failed ? 0 : total;
}

static size_t hand_on(struct http_transfer *transfer, const char *bytes, size_t total) {
    const struct http_receiver *receiver = transfer->receiver;
    transfer->was_ended = !receiver->take(receiver->context, transfer->answer, bytes, total);
    return transfer->was_ended ? 0 : total;
}

/* Of a refusal the beginning is enough. */
static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    struct http_transfer *transfer = context;
    struct strbuf *body = &transfer->answer->body;
    long status = status_of(transfer);
    bool is_good = status >= 200 && status < 300;
    size_t total = size * count, max = is_good ? transfer->body_max : ERROR_BODY_MAX;
    transfer->answer->status = status;
    if (is_good && transfer->receiver)
        return hand_on(transfer, bytes, total);
    transfer->too_large = is_good && total > max - body->length;
    if (total > max - body->length)
        return 0;
    strbuf_add_bytes(body, bytes, total);
    return body->failed ? 0 : total;
}

static size_t give_body(char *bytes, size_t size, size_t count, void *context) {
    struct http_transfer *transfer = context;
    const struct http_upload *upload = transfer->upload;
    ssize_t n = upload->read(upload->context, bytes, size * count);
    transfer->was_ended = n < 0;
    return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

static int go_back(void *context, curl_off_t offset, int origin) {
    struct http_transfer *transfer = context;
    const struct http_upload *upload = transfer->upload;
    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    return upload->rewind(upload->context) < 0 ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

/* ---- a transfer ---- */

static bool add_header(struct http_transfer *transfer, const char *header) {
    struct curl_slist *longer = transfer->http->append(transfer->headers, header);
    if (longer)
        transfer->headers = longer;
    return longer != NULL;
}

static bool set_headers(struct http_transfer *transfer) {
    struct http *http = transfer->http;
    const char *type_text = transfer->upload ? transfer->upload->type : NULL;
    _cleanup_free_ char *accept =
        transfer->accept ? format_string("Accept: %s", transfer->accept) : NULL;
    _cleanup_free_ char *type = type_text ? format_string("Content-Type: %s", type_text) : NULL;
    /* Of what is large, it is asked first whether it is wanted (Expect: 100-continue). */
    bool is_small = transfer->upload && transfer->upload->size <= SMALL_UPLOAD;
    return (!is_small || add_header(transfer, "Expect:")) &&
           (!transfer->accept || (accept && add_header(transfer, accept))) &&
           (!type_text || (type && add_header(transfer, type))) &&
           (!transfer->authorization || add_header(transfer, transfer->authorization)) &&
           http->set(transfer->handle, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

/* Each of these answers CURLE_OK, or memory is short: all are options that 7.66 has. */
#define SET(option, value) (http->set(handle, (option), (value)) == CURLE_OK)

/* libcurl is to look for nothing itself: not in the environment, not in files of a user. */
static bool set_manners(struct http *http, CURL *handle, struct http_transfer *transfer) {
    const struct http_settings *settings = &http->settings;
    return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
           SET(CURLOPT_PROXY, settings->proxy ? settings->proxy : "") && SET(CURLOPT_NOPROXY, "") &&
           SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(CURLOPT_USERAGENT, "volt-qemu/" VQEMU_VERSION_STRING) &&
           SET(CURLOPT_CONNECTTIMEOUT, (long)settings->connect_seconds) &&
           SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST) &&
           SET(CURLOPT_LOW_SPEED_TIME, (long)settings->stall_seconds) &&
           SET(CURLOPT_OPENSOCKETFUNCTION, open_socket) && SET(CURLOPT_OPENSOCKETDATA, transfer);
}

static bool set_tls(struct http *http, CURL *handle, const struct http_transfer *transfer) {
    const struct http_settings *settings = &http->settings;
    const char *certificate = transfer->shows_certificate ? settings->certificate : NULL;
    const char *key = certificate ? settings->key : NULL;
    return SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (!settings->ca_file ||
            (SET(CURLOPT_CAINFO, settings->ca_file) && SET(CURLOPT_CAPATH, (char *)NULL))) &&
           (!certificate || SET(CURLOPT_SSLCERT, certificate)) &&
           (!key || SET(CURLOPT_SSLKEY, key));
}

static bool set_upload(struct http *http, CURL *handle, struct http_transfer *transfer) {
    const struct http_upload *upload = transfer->upload;
    return !upload ||
           (SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload->size) &&
            SET(CURLOPT_READFUNCTION, give_body) && SET(CURLOPT_READDATA, transfer) &&
            SET(CURLOPT_SEEKFUNCTION, go_back) && SET(CURLOPT_SEEKDATA, transfer));
}

static bool set_request(struct http *http, CURL *handle, struct http_transfer *transfer) {
    bool is_https = begins_with(transfer->url, "https:");
    bool is_head = strcmp(transfer->method, "HEAD") == 0;
    const char *form = transfer->form;
    if (!form && !transfer->upload && strcmp(transfer->method, "POST") == 0)
        form = ""; /* else it would not say that nothing comes with it */
    return SET(CURLOPT_URL, transfer->url) &&
           SET(CURLOPT_PROTOCOLS, is_https ? (long)CURLPROTO_HTTPS : (long)CURLPROTO_HTTP) &&
           SET(CURLOPT_PATH_AS_IS, 1L) && /* a HEAD tells the size of what it does not send */
           (is_head || transfer->receiver ||
            SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->body_max)) &&
           (!is_head || SET(CURLOPT_NOBODY, 1L)) &&
           (!form ||
            (SET(CURLOPT_POSTFIELDSIZE, (long)strlen(form)) && SET(CURLOPT_POSTFIELDS, form))) &&
           set_upload(http, handle, transfer) &&
           (!transfer->range || SET(CURLOPT_RANGE, transfer->range)) &&
           (is_head || SET(CURLOPT_CUSTOMREQUEST, transfer->method)) &&
           (!transfer->user ||
            (SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) && SET(CURLOPT_USERNAME, transfer->user) &&
             SET(CURLOPT_PASSWORD, transfer->password)));
}

static bool set_receivers(struct http *http, CURL *handle, struct http_transfer *transfer) {
    return SET(CURLOPT_PRIVATE, transfer) && SET(CURLOPT_ERRORBUFFER, transfer->problem) &&
           SET(CURLOPT_HEADERFUNCTION, take_header) && SET(CURLOPT_HEADERDATA, transfer) &&
           SET(CURLOPT_WRITEFUNCTION, take_body) && SET(CURLOPT_WRITEDATA, transfer);
}

int http_start(struct http *http, struct http_transfer *transfer) {
    transfer->http = http;
    transfer->problem[0] = '\0';
    transfer->refused_address = transfer->reached_local = transfer->had_socket = false;
    transfer->too_large = transfer->was_ended = transfer->is_refused = false;
    transfer->system_errno = 0;
    CURL *handle = transfer->handle = http->easy_init();
    if (handle && set_manners(http, handle, transfer) && set_tls(http, handle, transfer) &&
        set_request(http, handle, transfer) && set_receivers(http, handle, transfer) &&
        set_headers(transfer) && http->add(http->multi, handle) == CURLM_OK)
        return 0;
    http_end(transfer);
    return -ENOMEM;
}

void http_end(struct http_transfer *transfer) {
    struct http *http = transfer->http;
    if (!http || !transfer->handle)
        return;
    http->remove(http->multi, transfer->handle);
    http->easy_cleanup(transfer->handle);
    http->free_list(transfer->headers);
    transfer->handle = transfer->headers = NULL;
}

/* ---- how they end ---- */

/* Up to 8.5, libcurl calls a line of headers that is too long a lack of memory, too. Here some of
 * an answer has come, and there is room for such a line. */
static bool is_long_line(const struct http_transfer *transfer, CURLcode code) {
    curl_off_t begun = 0;
    if ((int)code != LINE_TOO_LONG && code != CURLE_OUT_OF_MEMORY)
        return false;
    transfer->http->get(transfer->handle, CURLINFO_STARTTRANSFER_TIME_T, &begun);
    if (begun <= 0 || transfer->answer->headers.failed || transfer->answer->body.failed)
        return false;
    void *volatile room = malloc(2 * LINE_MAX_OF_CURL);
    bool has_room = room != NULL;
    free(room);
    return has_room;
}

static enum http_outcome outcome_of(const struct http_transfer *transfer, CURLcode code) {
    bool is_answered = transfer->answer->status != 0;
    bool is_tls = begins_with(transfer->url, "https:");
    if (transfer->was_ended && code != CURLE_OK)
        return HTTP_ENDED;
    if (code != CURLE_OK && transfer->proxy_status >= 300)
        return HTTP_PROXY_REFUSED;
    if (is_long_line(transfer, code))
        return HTTP_LONG_LINE;
    if (transfer->is_refused && (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR ||
                                 code == CURLE_OPERATION_TIMEDOUT))
        return HTTP_ANSWERED; /* the beginning of a refusal is as good as all of it */
    switch (code) {
    case CURLE_OK:
        return HTTP_ANSWERED;
    case CURLE_OUT_OF_MEMORY:
        return HTTP_NO_MEMORY;
    case CURLE_WRITE_ERROR: /* by us */
    case CURLE_FILESIZE_EXCEEDED:
        if (transfer->too_large ||
            (code == CURLE_FILESIZE_EXCEEDED && answer_is_good(transfer->answer)))
            return HTTP_TOO_LARGE;
        return transfer->answer->body.failed || transfer->answer->headers.failed ? HTTP_NO_MEMORY
                                                                                 : HTTP_ANSWERED;
    case CURLE_PEER_FAILED_VERIFICATION:
        return HTTP_CERTIFICATE;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return HTTP_FILE;
    case CURLE_SSL_CONNECT_ERROR:
        return HTTP_NO_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_STALLED;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return is_tls && !is_answered ? HTTP_HUNG_UP_ON_US : HTTP_BROKEN_OFF;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        if (transfer->system_errno && !transfer->had_socket)
            return HTTP_NO_SOCKET;
        return transfer->refused_address ? HTTP_REFUSED_ADDRESS : HTTP_UNREACHABLE;
    default:
        return is_answered ? HTTP_BROKEN_OFF : HTTP_UNREACHABLE;
    }
}

static void finish(struct http_transfer *transfer, CURLcode code) {
    struct http *http = transfer->http;
    curl_off_t wait = 0;
    transfer->answer->status = status_of(transfer);
    http->get(transfer->handle, CURLINFO_HTTP_CONNECTCODE, &transfer->proxy_status);
    if (http->get(transfer->handle, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
        transfer->answer->retry_after = wait;
    transfer->outcome = outcome_of(transfer, code);
    /* Those words would have all of it in them, with its login. */
    if (begins_with(transfer->problem, "Unsupported proxy"))
        snprintf(transfer->problem, sizeof transfer->problem, "libcurl cannot use such a proxy");
    if (transfer->outcome == HTTP_LONG_LINE)
        snprintf(transfer->problem, sizeof transfer->problem,
                 "a header line is too long, or memory is short");
    if (!transfer->problem[0])
        snprintf(transfer->problem, sizeof transfer->problem, "%s", http->describe(code));
    http_end(transfer);
}

/* It makes threads that look names up, and these inherit what is blocked: no signal of the process
 * is for them. */
static CURLMcode perform(struct http *http) {
    sigset_t all, before;
    int running;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    CURLMcode code = http->perform(http->multi, &running);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/* Waiting comes first: what has been done is then told at once, not when something else happens.
 * It does not wait for what was started just now. */
int http_poll(struct http *http, int milliseconds) {
    CURLMcode code = http->poll(http->multi, NULL, 0, milliseconds, NULL);
    if (code == CURLM_OK)
        code = perform(http);
    return code == CURLM_OK ? 0 : -ENOMEM;
}

struct http_transfer *http_next_done(struct http *http) {
    int left;
    for (CURLMsg *message; (message = http->read_info(http->multi, &left));) {
        char *private = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        http->get(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct http_transfer *transfer = (struct http_transfer *)(void *)private;
        finish(transfer, code);
        return transfer;
    }
    return NULL;
}
