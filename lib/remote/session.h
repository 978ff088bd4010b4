/* SPDX-License-Identifier: MIT */
/*
 * Talking to the registry of a remote for the time of one call: requests at the same time, second
 * tries, redirects, logins.
 */
#ifndef LIB_SESSION_H
#define LIB_SESSION_H

#include "base/digest.h"
#include "base/progress.h"
#include "remote/login.h"
#include "remote/sink.h"

/* What is asked. All borrowed. */
struct request {
    const char *method;
    const char *target;               /* "/v2/...", or a URL that the registry has said */
    const char *accept;               /* or NULL */
    size_t body_max;                  /* of the answer */
    const char *doing;                /* for messages; NULL for the session's */
    struct sink *sink;                /* of what is good, instead of a body; or NULL */
    const struct http_upload *upload; /* sent with it; or NULL */
    /* It is a POST that asks where to send a blob to, and upload is sent there by a PUT, unless the
     * blob has come another way; this is its digest, or NULL. */
    const struct digest *blob;
};

enum exchange_state { EXCHANGE_READY, EXCHANGE_RUNNING, EXCHANGE_NEEDS_TOKEN, EXCHANGE_DONE };

/* The most of an answer that is only looked at. */
#define ANSWER_MAX ((size_t)64 * 1024)

/* A request and what came of it. Zeroed but for the request, it is ready to be run, once. */
struct exchange {
    struct request request;
    struct answer answer; /* the last one: no redirect, and nothing that was tried again */
    struct url url;       /* who gave it: what is in it is relative to that */

    /* The rest is session.c's. */
    enum exchange_state state;
    struct http_transfer transfer;
    char *url_text;
    bool is_for_token, is_renewed, is_sending; /* the PUT behind the POST */
    unsigned tries, redirects, generation;
    uint64_t sink_mark; /* how far the sink was when tries were counted anew */
    char range[SINK_RANGE_SIZE];
    struct http_receiver receiver;
    int64_t not_before;
    char problem[128]; /* why it is tried again */
};

void exchange_release(struct exchange *exchange);

struct session {
    const vqemu_remote *remote;
    const char *doing; /* for messages: "list the tags of" */
    struct vqemu_progress *progress;
    struct url base;
    struct http *http;
    struct login login;
    struct exchange token;
    unsigned running;
    int64_t gate; /* nobody asks before */
    bool is_near; /* the registry was found at an address of this host or its link */
};

/* actions: what is wanted of the repository, "pull" or "pull,push". It is closed in any case. */
int session_open(struct session *session, const char *actions, vqemu_error **error);
void session_close(struct session *session);

/*
 * Run one until it has an answer, whatever its status. What its sink has received is whole then, or
 * has a fault: only if the status is good does that count.
 */
int session_run(struct session *session, struct exchange *exchange, vqemu_error **error);

/* Many, one after the other, as many at once as the remote allows. */
struct exchange_source {
    /* Put a request into an exchange that is empty. slot tells apart those that run at the same
     * time, REMOTE_CONNECTIONS_MAX at the most. 1, 0 if there are no more, or an error. */
    int (*next)(void *context, unsigned slot, struct exchange *exchange, vqemu_error **error);
    /* It has run, and is released after that. */
    int (*done)(void *context, unsigned slot, struct exchange *exchange, vqemu_error **error);
    void *context;
};
int session_run_all(struct session *session, const struct exchange_source *source,
                    vqemu_error **error);

/* What failed, as failure.h takes it. */
struct failed session_failed(const struct session *session, const struct exchange *exchange);

/* The error for an answer that refuses, or makes no sense, or has not the content that its digest
 * says: how, behind the host. */
int session_refused(const struct session *session, const struct exchange *exchange,
                    vqemu_error **error);
int session_misled(const struct session *session, const struct exchange *exchange, const char *how,
                   vqemu_error **error);

/* Where an answer leads by a reference in it, or by none if it is NULL; what: "a redirect". It is
 * to be a URL of HTTP, and not to leave TLS. */
int session_resolve(const struct session *session, const struct exchange *exchange,
                    const char *what, const char *reference, struct url *next, vqemu_error **error);
int session_got_damaged(const struct session *session, const struct exchange *exchange,
                        const char *how, vqemu_error **error);
/* There is no such manifest there: what. */
int session_got_nothing(const struct session *session, const struct exchange *exchange,
                        const char *what, vqemu_error **error);
#endif
