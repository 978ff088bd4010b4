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
#define TICK 100 /* milliseconds after which the caller is asked again */

/* ---- beginning and end ---- */

void exchange_release(struct exchange *exchange) {
    http_end(&exchange->transfer);
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

int session_open(struct session *session, const char *actions, vqemu_error **error) {
    const vqemu_remote *remote = session->remote;
    const struct http_settings settings = {
        .ca_file = remote->ca_file,
        .certificate = remote->certificate,
        .key = remote->key,
        .proxy = remote->proxy,
        .connect_timeout = remote_connect_timeout(remote),
        .stall_timeout = remote_stall_timeout(remote),
    };
    int r = remote_check(remote, error);
    if (r < 0)
        return r;
    session->login = (struct login){
        .remote = remote,
        .registry = &session->base,
        .scope = format_string("repository:%s:%s", remote->name, actions),
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

static struct failed failed_of(const struct session *session, const struct exchange *exchange) {
    return (struct failed){.remote = session->remote,
                           .doing = session->doing,
                           .url = &exchange->url,
                           .tries = exchange->tries,
                           .answer = &exchange->answer};
}

int session_refused(const struct session *session, const struct exchange *exchange,
                    vqemu_error **error) {
    const struct failed failed = failed_of(session, exchange);
    return failure_of_answer(&failed, error);
}

int session_misled(const struct session *session, const struct exchange *exchange, const char *how,
                   vqemu_error **error) {
    const struct failed failed = failed_of(session, exchange);
    return failure_of_sense(&failed, how, error);
}

/* ---- sending ---- */

static int set_url(struct exchange *exchange, struct url *url) {
    url_release(&exchange->url);
    exchange->url = *url;
    *url = (struct url){0};
    free(exchange->url_text);
    exchange->url_text = url_to_text(&exchange->url);
    return exchange->url_text ? 0 : -ENOMEM;
}

/* A login is for the registry alone, wherever it sends us. */
static int start(struct session *session, struct exchange *exchange) {
    answer_release(&exchange->answer);
    exchange->transfer = (struct http_transfer){
        .method = exchange->request.method,
        .accept = exchange->request.accept,
        .url = exchange->url_text,
        .body_max = exchange->request.body_max,
        .answer = &exchange->answer,
        .owner = exchange,
    };
    if (exchange->is_for_token)
        login_ask(&session->login, &exchange->transfer);
    else if (url_same_origin(&exchange->url, &session->base))
        login_apply(&session->login, &exchange->transfer);
    exchange->generation = session->login.generation;
    exchange->tries++;
    int r = http_start(session->http, &exchange->transfer);
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

/* Whether it will be tried again: it is due later then. */
static bool try_again(struct session *session, struct exchange *exchange, const char *why) {
    if (exchange->tries >= remote_tries(session->remote) ||
        exchange->answer.retry_after > PAUSE_MAX)
        return false;
    int64_t pause = pause_before(exchange);
    exchange->not_before = call_now() + pause;
    if (exchange->answer.status == 429 && exchange->not_before > session->gate)
        session->gate = exchange->not_before;
    exchange->state = EXCHANGE_READY;
    snprintf(exchange->problem, sizeof exchange->problem, "%s", why);
    call_log(session->progress->call, VQEMU_LOG_INFO, "request-repeated",
             "%s: %s; asked again in %.1f s", exchange->url.host, why, (double)pause / 1000);
    return true;
}

static bool outcome_may_change(enum http_outcome outcome) {
    return outcome == HTTP_UNREACHABLE || outcome == HTTP_BROKEN_OFF || outcome == HTTP_STALLED;
}

static bool status_may_change(long status) {
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* ---- redirects ---- */

static bool is_redirect(const struct exchange *exchange) {
    long status = exchange->answer.status;
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int follow(struct session *session, struct exchange *exchange, vqemu_error **error) {
    _cleanup_url_ struct url next = {0};
    const char *location = answer_header(&exchange->answer, "Location", 0);
    if (exchange->is_for_token)
        return session_misled(session, exchange, "with a redirect, which no login follows", error);
    if (++exchange->redirects > REDIRECTS_MAX)
        return session_misled(session, exchange, "with one redirect after the other", error);
    int r = location ? url_resolve(&exchange->url, location, &next) : -EINVAL;
    if (r == -EINVAL)
        return session_misled(session, exchange, "with a redirect to what is no URL of HTTP",
                              error);
    if (r == 0 && exchange->url.is_https && !next.is_https)
        return session_misled(session, exchange, "with a redirect from https to plain HTTP", error);
    if (r == 0)
        r = set_url(exchange, &next);
    exchange->state = EXCHANGE_READY;
    return r < 0 ? error_no_memory(error) : 0;
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
    const struct failed failed = failed_of(session, exchange);
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

static int take_answer(struct session *session, struct exchange *exchange, vqemu_error **error) {
    char why[40];
    long status = exchange->answer.status;
    snprintf(why, sizeof why, "status %ld", status);
    if (status_may_change(status) && try_again(session, exchange, why))
        return 0;
    if (is_redirect(exchange))
        return follow(session, exchange, error);
    exchange->state = EXCHANGE_DONE;
    if (exchange->is_for_token) {
        const struct failed failed = failed_of(session, exchange);
        return login_take_token(&session->login, &failed, error);
    }
    return status == 401 ? log_in(session, exchange, error) : 0;
}

static int take(struct session *session, struct exchange *exchange, vqemu_error **error) {
    const struct http_transfer *transfer = &exchange->transfer;
    const struct failed failed = failed_of(session, exchange);
    session->running--;
    if (transfer->outcome == HTTP_ANSWERED)
        return take_answer(session, exchange, error);
    if (outcome_may_change(transfer->outcome) && try_again(session, exchange, transfer->problem))
        return 0;
    return failure_of_transfer(&failed, transfer, error);
}

/* ---- all of them ---- */

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

static int start_due(struct session *session, struct exchange *exchanges, size_t count,
                     bool *all_done, int64_t *due) {
    int r = is_asking(session) ? look_at(session, &session->token, due) : 0;
    *all_done = true;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = look_at(session, &exchanges[i], due);
        *all_done &= exchanges[i].state == EXCHANGE_DONE;
    }
    return r;
}

static int drive(struct session *session, struct exchange *exchanges, size_t count,
                 vqemu_error **error) {
    for (;;) {
        struct http_transfer *done;
        bool all_done;
        int64_t due = call_now() + TICK;
        int r = progress_report(session->progress, error);
        if (r < 0)
            return r;
        if (start_due(session, exchanges, count, &all_done, &due) < 0)
            return error_no_memory(error);
        if (all_done)
            return 0;
        int64_t wait = due - call_now();
        if (http_poll(session->http, wait > 0 ? (int)wait : 0) < 0)
            return error_no_memory(error);
        while (r == 0 && (done = http_next_done(session->http)))
            r = take(session, done->owner, error);
        if (r < 0)
            return r;
    }
}

/* The caller wants no more: what was in the way is what there is to know. */
static int given_up(const struct session *session, const struct exchange *exchanges, size_t count,
                    int code, vqemu_error **error) {
    for (size_t i = 0; i <= count; i++) {
        const struct exchange *exchange = i < count ? &exchanges[i] : &session->token;
        if (exchange->state != EXCHANGE_DONE && exchange->problem[0])
            error_prefix(code, error, "%s: %s; ", exchange->url.host, exchange->problem);
    }
    return error_prefix(code, error, "cannot %s of %s: ", session->doing,
                        session->remote->repository);
}

static int prepare(const struct session *session, struct exchange *exchange, vqemu_error **error) {
    _cleanup_url_ struct url url = {0};
    int r = url_resolve(&session->base, exchange->request.target, &url);
    if (r == 0)
        r = set_url(exchange, &url);
    return r == -EINVAL ? session_misled(session, exchange, "with what is no URL of HTTP", error)
           : r < 0      ? error_no_memory(error)
                        : 0;
}

int session_run(struct session *session, struct exchange *exchanges, size_t count,
                vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = prepare(session, &exchanges[i], error);
    if (r == 0)
        r = drive(session, exchanges, count, error);
    if (r == VQEMU_ERR_CANCELLED || r == VQEMU_ERR_TIMEOUT)
        given_up(session, exchanges, count, r, error);
    if (r < 0) {
        for (size_t i = 0; i < count; i++)
            http_end(&exchanges[i].transfer);
        exchange_release(&session->token);
        session->running = 0;
    }
    return r;
}
