/* SPDX-License-Identifier: MIT */
#include "remote/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/call.h"
#include "base/error.h"
#include "util/strbuf.h"

#define REDIRECTS_MAX 5
#define PAUSE_MAX 60    /* seconds that a registry may ask for */
#define FIRST_PAUSE 250 /* milliseconds; each further one is twice as long */
#define OWN_PAUSE_MAX 30000
#define PROGRESS_MIN ((uint64_t)64 * 1024) /* bytes that a try was worth it for */
#define TICK 100                           /* milliseconds after which the caller is asked again */

/* ---- beginning and end ---- */

void exchange_release(struct exchange *exchange) {
    struct strbuf *body = &exchange->answer.body;
    http_end(&exchange->transfer);
    if (exchange->is_for_token && body->text)
        explicit_bzero(body->text, body->length);
    answer_release(&exchange->answer);
    url_release(&exchange->url);
    free(exchange->url_text);
    *exchange = (struct exchange){0};
}

static int set_base(struct session *session) {
    const vqemu_remote *remote = session->remote;
    _cleanup_free_ char *text =
        format_string("%s://%s/", remote->plain_http ? "http" : "https", remote->authority);
    return text ? url_parse(text, &session->base) : -ENOMEM;
}

/* Where something may be mounted from, it is read. */
static char *make_scope(const vqemu_remote *remote, const char *actions) {
    const char *from = strstr(actions, "push") ? remote->mount_from : NULL;
    return from ? format_string("repository:%s:%s repository:%s:pull", remote->name, actions, from)
                : format_string("repository:%s:%s", remote->name, actions);
}

int session_open(struct session *session, const char *actions, vqemu_error **error) {
    const vqemu_remote *remote = session->remote;
    const struct http_settings settings = {
        .ca_file = remote->ca_file,
        .certificate = remote->certificate,
        .key = remote->key,
        .proxy = remote->proxy,
        .connect_seconds = remote_connect_seconds(remote),
        .stall_seconds = remote_stall_seconds(remote),
    };
    int r = remote_check(remote, error);
    if (r < 0)
        return r;
    session->login = (struct login){
        .remote = remote,
        .registry = &session->base,
        .scope = make_scope(remote, actions),
    };
    if (set_base(session) < 0 || !session->login.scope)
        return error_no_memory(error);
    return http_open(&settings, &session->http, error);
}

void session_close(struct session *session) {
    exchange_release(&session->token);
    login_release(&session->login);
    http_close(session->http);
    url_release(&session->base);
}

/* ---- failures ---- */

struct failed session_failed(const struct session *session, const struct exchange *exchange) {
    return (struct failed){.remote = session->remote,
                           .doing =
                               exchange->request.doing ? exchange->request.doing : session->doing,
                           .url = &exchange->url,
                           .tries = exchange->tries,
                           .answer = &exchange->answer};
}

int session_refused(const struct session *session, const struct exchange *exchange,
                    vqemu_error **error) {
    const struct failed failed = session_failed(session, exchange);
    return failure_of_answer(&failed, error);
}

int session_misled(const struct session *session, const struct exchange *exchange, const char *how,
                   vqemu_error **error) {
    const struct failed failed = session_failed(session, exchange);
    return failure_of_sense(&failed, how, error);
}

int session_got_damaged(const struct session *session, const struct exchange *exchange,
                        const char *how, vqemu_error **error) {
    const struct failed failed = session_failed(session, exchange);
    return failure_of_content(&failed, how, error);
}

int session_got_nothing(const struct session *session, const struct exchange *exchange,
                        const char *what, vqemu_error **error) {
    const struct failed failed = session_failed(session, exchange);
    return failure_of_lack(&failed, what, error);
}

/* ---- sending ---- */

static bool take_bytes(void *context, const struct answer *answer, const void *bytes, size_t size) {
    struct exchange *exchange = context;
    return sink_take(exchange->request.sink, answer, bytes, size);
}

static void set_sink(struct exchange *exchange) {
    struct sink *sink = exchange->request.sink;
    if (!sink)
        return;
    sink_begin(sink);
    exchange->receiver = (struct http_receiver){take_bytes, exchange};
    exchange->transfer.receiver = &exchange->receiver;
    exchange->transfer.range = sink_range(sink, exchange->range);
}

static int set_url(struct exchange *exchange, struct url *url) {
    url_release(&exchange->url);
    exchange->url = *url;
    *url = (struct url){0};
    free(exchange->url_text);
    exchange->url_text = url_to_text(&exchange->url);
    return exchange->url_text ? 0 : -ENOMEM;
}

/* What is sent: of a blob, nothing with the POST before. Each try sends all of it. */
static int set_upload(struct exchange *exchange) {
    const struct request *request = &exchange->request;
    bool is_post = request->blob && !exchange->is_sending;
    if (!request->upload || is_post)
        return 0;
    if (request->blob)
        exchange->transfer.method = "PUT";
    exchange->transfer.upload = request->upload;
    return request->upload->rewind(request->upload->context);
}

/* Whether a registry that is elsewhere leads us on, maybe to what answers this host alone. What a
 * proxy reaches is its own business. */
static bool must_leave_host(const struct session *session, const struct exchange *exchange) {
    const char *home = session->base.host;
    bool is_near = host_is_local_address(home) || (session->is_near && !exchange->is_for_token);
    return !session->remote->proxy && strcmp(exchange->url.host, home) != 0 && !is_near;
}

/* A login is for the registry alone, wherever it sends us, and so is a certificate. */
static int start(struct session *session, struct exchange *exchange) {
    bool is_home = url_same_origin(&exchange->url, &session->base);
    answer_release(&exchange->answer);
    exchange->transfer = (struct http_transfer){
        .method = exchange->request.method,
        .accept = exchange->request.accept,
        .url = exchange->url_text,
        .body_max = exchange->request.body_max,
        .public_only = must_leave_host(session, exchange),
        .shows_certificate = is_home,
        .answer = &exchange->answer,
        .owner = exchange,
    };
    set_sink(exchange);
    if (exchange->is_for_token)
        login_ask(&session->login, &exchange->transfer);
    else if (is_home)
        login_apply(&session->login, &exchange->transfer);
    exchange->generation = session->login.generation;
    exchange->tries += !exchange->is_sending;
    int r = set_upload(exchange);
    if (r == 0)
        r = http_start(session->http, &exchange->transfer);
    if (r < 0)
        return r;
    exchange->state = EXCHANGE_RUNNING;
    session->running++;
    return 0;
}

/* ---- trying again ---- */

/* Many clients that failed together do not come back together. */
static int64_t spread(int64_t pause) {
    uint16_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
        number = 0;
    return pause + pause * number / (INT64_C(4) * UINT16_MAX);
}

static int64_t pause_before(const struct exchange *exchange) {
    int64_t asked = exchange->answer.retry_after, pause = FIRST_PAUSE;
    if (asked > 0)
        return 1000 * asked;
    for (unsigned i = 1; i < exchange->tries && pause < OWN_PAUSE_MAX; i++)
        pause *= 2;
    return spread(pause);
}

/* A long blob over a bad line comes in as many pieces as it takes: tries in vain are counted. */
static void count_tries_anew(struct exchange *exchange) {
    const struct sink *sink = exchange->request.sink;
    if (!sink || sink->farthest < exchange->sink_mark + PROGRESS_MIN)
        return;
    exchange->sink_mark = sink->farthest;
    exchange->tries = 1;
}

/* Where the registry has sent us may be for a while only, and an upload that broke off cannot go
 * on: it is asked itself again. */
static bool go_home(const struct session *session, struct exchange *exchange) {
    _cleanup_url_ struct url url = {0};
    if (exchange->redirects == 0 && !exchange->is_sending)
        return true;
    exchange->redirects = 0;
    exchange->is_sending = false;
    return url_resolve(&session->base, exchange->request.target, &url) == 0 &&
           set_url(exchange, &url) == 0;
}

/* Whether it will be tried again: it is due later then. */
static bool try_again(struct session *session, struct exchange *exchange, const char *why) {
    count_tries_anew(exchange);
    if (exchange->tries >= remote_tries(session->remote) ||
        exchange->answer.retry_after > PAUSE_MAX)
        return false;
    int64_t pause = pause_before(exchange);
    exchange->not_before = call_now() + pause;
    if (exchange->answer.status == 429 && exchange->not_before > session->gate)
        session->gate = exchange->not_before;
    exchange->state = EXCHANGE_READY;
    exchange->is_renewed = false;
    snprintf(exchange->problem, sizeof exchange->problem, "%s", why);
    call_log(session->progress->call, VQEMU_LOG_INFO, "request-repeated",
             (struct log_subject){.host = exchange->url.host}, "%s: %s; asked again in %.1f s",
             exchange->url.host, why, (double)pause / 1000);
    return go_home(session, exchange);
}

static bool status_may_change(long status) {
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

static bool outcome_may_change(const struct http_transfer *transfer) {
    enum http_outcome outcome = transfer->outcome;
    return outcome == HTTP_NO_SOCKET || outcome == HTTP_UNREACHABLE || outcome == HTTP_BROKEN_OFF ||
           outcome == HTTP_STALLED ||
           (outcome == HTTP_PROXY_REFUSED && status_may_change(transfer->proxy_status));
}

/* ---- redirects ---- */

static bool is_redirect(const struct exchange *exchange) {
    long status = exchange->answer.status;
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

int session_resolve(const struct session *session, const struct exchange *exchange,
                    const char *what, const char *reference, struct url *next,
                    vqemu_error **error) {
    char how[96];
    int r = reference ? url_resolve(&exchange->url, reference, next) : -EINVAL;
    if (r == -EINVAL) {
        snprintf(how, sizeof how, "with %s to what is no URL of HTTP", what);
        return session_misled(session, exchange, how, error);
    }
    if (r == 0 && exchange->url.is_https && !next->is_https) {
        snprintf(how, sizeof how, "with %s from https to plain HTTP", what);
        return session_misled(session, exchange, how, error);
    }
    return r < 0 ? error_no_memory(error) : 0;
}

static int find_location(const struct session *session, const struct exchange *exchange,
                         const char *what, struct url *next, vqemu_error **error) {
    const char *location = answer_header(&exchange->answer, "Location", 0);
    return session_resolve(session, exchange, what, location, next, error);
}

static int follow(struct session *session, struct exchange *exchange, vqemu_error **error) {
    _cleanup_url_ struct url next = {0};
    if (exchange->is_for_token)
        return session_misled(session, exchange, "with a redirect, which no login follows", error);
    if (++exchange->redirects > REDIRECTS_MAX)
        return session_misled(session, exchange, "with one redirect after the other", error);
    int r = find_location(session, exchange, "a redirect", &next, error);
    if (r < 0)
        return r;
    exchange->state = EXCHANGE_READY;
    return set_url(exchange, &next) < 0 ? error_no_memory(error) : 0;
}

/* An upload was opened: the blob is sent there, with its digest in the query. */
static int begin_sending(struct session *session, struct exchange *exchange, vqemu_error **error) {
    _cleanup_url_ struct url next = {0};
    int r = find_location(session, exchange, "an upload", &next, error);
    if (r < 0)
        return r;
    char *path = format_string("%s%cdigest=sha256%%3A%s", next.path,
                               strchr(next.path, '?') ? '&' : '?', exchange->request.blob->hex);
    if (!path)
        return error_no_memory(error);
    free(next.path);
    next.path = path;
    exchange->is_sending = true;
    exchange->is_renewed = false;
    exchange->state = EXCHANGE_READY;
    return set_url(exchange, &next) < 0 ? error_no_memory(error) : 0;
}

/* ---- logins ---- */

static int ask_for_token(struct session *session, vqemu_error **error) {
    struct exchange *token = &session->token;
    _cleanup_url_ struct url url = {0};
    _cleanup_free_ char *text = url_to_text(&session->login.realm);
    exchange_release(token);
    token->is_for_token = true;
    int r = text ? url_parse(text, &url) : -ENOMEM;
    if (r == 0)
        r = set_url(token, &url);
    return r == -EINVAL ? error_set(error, VQEMU_ERR_MALFORMED, 0, "the URL for tokens is too long")
           : r < 0      ? error_no_memory(error)
                        : 0;
}

static bool is_asking(const struct session *session) {
    return session->token.is_for_token && session->token.state != EXCHANGE_DONE;
}

static int log_in(struct session *session, struct exchange *exchange, vqemu_error **error) {
    const struct failed failed = session_failed(session, exchange);
    bool asks;
    if (exchange->is_renewed || !url_same_origin(&exchange->url, &session->base))
        return failure_of_answer(&failed, error);
    exchange->is_renewed = true;
    exchange->state = EXCHANGE_READY;
    if (exchange->generation < session->login.generation) /* another has found out meanwhile */
        return 0;
    exchange->state = EXCHANGE_NEEDS_TOKEN;
    if (is_asking(session))
        return 0;
    int r = login_challenged(&session->login, &failed, &asks, error);
    return r == 0 && asks ? ask_for_token(session, error) : r;
}

/* ---- receiving ---- */

/* Whether what the sink has received may be completed by another try. */
static bool sink_may_change(const struct exchange *exchange) {
    struct sink *sink = exchange->request.sink;
    if (!sink || exchange->is_for_token)
        return false;
    if (exchange->answer.status == 416) { /* a server that cannot go on where it broke off */
        bool was_asked = exchange->transfer.range && sink->received > 0;
        sink_restart(sink);
        return was_asked && sink->fault == SINK_FINE;
    }
    if (!answer_is_good(&exchange->answer) || sink->fault != SINK_FINE || sink_is_full(sink))
        return false;
    sink->fault = SINK_TOO_SHORT;
    return true;
}

/* All bytes are there, if not the end of the answer: no further try would bring more. */
static bool has_come(const struct exchange *exchange) {
    const struct sink *sink = exchange->request.sink;
    enum http_outcome outcome = exchange->transfer.outcome;
    return (outcome == HTTP_BROKEN_OFF || outcome == HTTP_STALLED) && sink && sink->has_begun &&
           sink->fault == SINK_FINE && sink_is_full(sink) && answer_is_good(&exchange->answer);
}

static int take_answer(struct session *session, struct exchange *exchange, vqemu_error **error) {
    char why[40] = "cut short";
    long status = exchange->answer.status;
    if (!answer_is_good(&exchange->answer))
        snprintf(why, sizeof why, "status %ld", status);
    bool is_lost = exchange->is_sending && status == 404; /* an upload that the server forgot */
    if ((status_may_change(status) || is_lost || sink_may_change(exchange)) &&
        try_again(session, exchange, why))
        return 0;
    if (is_redirect(exchange))
        return follow(session, exchange, error);
    if (status == 202 && exchange->request.blob && !exchange->is_sending)
        return begin_sending(session, exchange, error);
    exchange->state = EXCHANGE_DONE;
    if (exchange->is_for_token) {
        const struct failed failed = session_failed(session, exchange);
        return login_take_token(&session->login, &failed, error);
    }
    return status == 401 ? log_in(session, exchange, error) : 0;
}

static int take(struct session *session, struct exchange *exchange, vqemu_error **error) {
    const struct http_transfer *transfer = &exchange->transfer;
    const struct failed failed = session_failed(session, exchange);
    session->running--;
    if (transfer->reached_local && strcmp(exchange->url.host, session->base.host) == 0)
        session->is_near = true;
    /* Who receives has all, or sees what is wrong with it; so does who sends. */
    if (transfer->outcome == HTTP_ENDED || has_come(exchange)) {
        exchange->state = EXCHANGE_DONE;
        return 0;
    }
    if (transfer->outcome == HTTP_ANSWERED)
        return take_answer(session, exchange, error);
    /* Where memory lacked for a moment only, the second try finds some. */
    bool is_doubtful = transfer->outcome == HTTP_LONG_LINE && exchange->tries == 1;
    if ((outcome_may_change(transfer) || is_doubtful) &&
        try_again(session, exchange, transfer->problem))
        return 0;
    return failure_of_transfer(&failed, transfer, error);
}

/* ---- all of them ---- */

/* Exchanges that run at the same time, and where more come from; NULL for nowhere. */
struct running {
    struct exchange *exchanges;
    size_t count;
    const struct exchange_source *source;
};

static int prepare(const struct session *session, struct exchange *exchange, vqemu_error **error) {
    _cleanup_url_ struct url url = {0};
    int r = url_resolve(&session->base, exchange->request.target, &url);
    if (r == 0)
        r = set_url(exchange, &url);
    return r == -EINVAL ? session_misled(session, exchange, "with what is no URL of HTTP", error)
           : r < 0      ? error_no_memory(error)
                        : 0;
}

/* Hand on one that has run, and take the next one in its place. */
static int refill(struct session *session, const struct running *running, size_t slot,
                  vqemu_error **error) {
    const struct exchange_source *source = running->source;
    struct exchange *exchange = &running->exchanges[slot];
    if (!source || exchange->state != EXCHANGE_DONE)
        return 0;
    int r = exchange->url_text ? source->done(source->context, (unsigned)slot, exchange, error) : 0;
    exchange_release(exchange);
    if (r == 0)
        r = source->next(source->context, (unsigned)slot, exchange, error);
    if (r == 0) /* nothing is left: it stays empty */
        exchange->state = EXCHANGE_DONE;
    return r == 1 ? prepare(session, exchange, error) : r;
}

/* Start it if it is due. *due: when something is at the latest. */
static int look_at(struct session *session, struct exchange *exchange, int64_t *due) {
    int64_t now = call_now();
    if (exchange->state == EXCHANGE_NEEDS_TOKEN && !is_asking(session))
        exchange->state = EXCHANGE_READY;
    if (exchange->state != EXCHANGE_READY ||
        session->running >= remote_connections(session->remote))
        return 0;
    int64_t start_at = exchange->not_before > session->gate ? exchange->not_before : session->gate;
    if (now >= start_at)
        return start(session, exchange);
    if (start_at < *due)
        *due = start_at;
    return 0;
}

static int start_due(struct session *session, const struct running *running, bool *all_done,
                     int64_t *due, vqemu_error **error) {
    int r = is_asking(session) ? look_at(session, &session->token, due) : 0;
    *all_done = true;
    for (size_t i = 0; r == 0 && i < running->count; i++) {
        int refilled = refill(session, running, i, error);
        if (refilled < 0)
            return refilled;
        r = look_at(session, &running->exchanges[i], due);
        *all_done &= running->exchanges[i].state == EXCHANGE_DONE;
    }
    return r < 0 ? error_no_memory(error) : 0;
}

static int drive(struct session *session, const struct running *running, vqemu_error **error) {
    for (;;) {
        struct http_transfer *done;
        bool all_done = false;
        int64_t due = call_now() + TICK;
        int r = progress_report(session->progress, error);
        if (r == 0)
            r = start_due(session, running, &all_done, &due, error);
        if (r < 0 || all_done)
            return r;
        int64_t wait = due - call_now();
        if (http_poll(session->http, wait > 0 ? (int)wait : 0) < 0)
            return error_no_memory(error);
        while (r == 0 && (done = http_next_done(session->http)))
            r = take(session, done->owner, error);
        if (r < 0)
            return r;
    }
}

/* The caller wants no more: what was in the way is what there is to know. Of many at the same time
 * it is the whole that is given up. */
static int given_up(const struct session *session, const struct running *running, int code,
                    vqemu_error **error) {
    for (size_t i = 0; i <= running->count; i++) {
        const struct exchange *exchange =
            i < running->count ? &running->exchanges[i] : &session->token;
        if (exchange->state != EXCHANGE_DONE && exchange->problem[0])
            error_prefix(code, error, "%s: %s; ", exchange->url.host, exchange->problem);
    }
    const char *doing =
        running->source ? session->doing : session_failed(session, running->exchanges).doing;
    return error_prefix(code, error, "cannot %s %s: ", doing, session->remote->repository);
}

static int run(struct session *session, const struct running *running, vqemu_error **error) {
    int r = drive(session, running, error);
    if (r == VQEMU_ERR_CANCELLED || r == VQEMU_ERR_TIMEOUT)
        given_up(session, running, r, error);
    if (r < 0) {
        for (size_t i = 0; i < running->count; i++)
            http_end(&running->exchanges[i].transfer);
        exchange_release(&session->token);
        session->running = 0;
    }
    return r;
}

int session_run(struct session *session, struct exchange *exchange, vqemu_error **error) {
    const struct running running = {exchange, 1, NULL};
    int r = prepare(session, exchange, error);
    return r == 0 ? run(session, &running, error) : r;
}

int session_run_all(struct session *session, const struct exchange_source *source,
                    vqemu_error **error) {
    size_t count = remote_connections(session->remote);
    _cleanup_free_ struct exchange *exchanges = calloc(count, sizeof *exchanges);
    const struct running running = {exchanges, count, source};
    if (!exchanges)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        exchanges[i].state = EXCHANGE_DONE;
    int r = run(session, &running, error);
    for (size_t i = 0; i < count; i++)
        exchange_release(&exchanges[i]);
    return r;
}
