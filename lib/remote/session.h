/* SPDX-License-Identifier: MIT */
/*
 * Talking to the registry of a remote for the time of one call: requests at the same time, second
 * tries, redirects, logins.
 */
#ifndef LIB_SESSION_H
#define LIB_SESSION_H

#include "base/progress.h"
#include "remote/login.h"

/* What is asked. All borrowed. */
struct request {
    const char *method;
    const char *target; /* "/v2/...", or a URL that the registry has said */
    const char *accept; /* or NULL */
    size_t body_max;    /* of the answer */
};

enum exchange_state { EXCHANGE_READY, EXCHANGE_RUNNING, EXCHANGE_NEEDS_TOKEN, EXCHANGE_DONE };

/* A request and what came of it. Zeroed but for the request, it is ready to be run, once. */
struct exchange {
    struct request request;
    struct answer answer; /* the last one: no redirect, and nothing that was tried again */
    struct url url;       /* who gave it: what is in it is relative to that */

    /* The rest is session.c's. */
    enum exchange_state state;
    struct http_transfer transfer;
    char *url_text;
    bool is_for_token, is_renewed;
    unsigned tries, redirects, generation;
    int64_t not_before;
    char problem[128]; /* why it is tried again */
};

void exchange_release(struct exchange *exchange);

struct session {
    const vqemu_remote *remote;
    const char *doing; /* for messages: "list the tags" */
    struct vqemu_progress *progress;
    struct url base;
    struct http *http;
    struct login login;
    struct exchange token;
    unsigned running;
    int64_t gate; /* nobody asks before */
};

/* actions: what is wanted of the repository, "pull" or "pull,push". It is closed in any case. */
int session_open(struct session *session, const char *actions, vqemu_error **error);
void session_close(struct session *session);

/* Run all, as many at once as the remote allows, until each has an answer, whatever its status. */
int session_run(struct session *session, struct exchange *exchanges, size_t count,
                vqemu_error **error);

/* The error for an answer that refuses, or makes no sense. */
int session_refused(const struct session *session, const struct exchange *exchange,
                    vqemu_error **error);
int session_misled(const struct session *session, const struct exchange *exchange, const char *how,
                   vqemu_error **error);

#endif
