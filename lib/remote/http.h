/* SPDX-License-Identifier: MIT */
/*
 * HTTP by libcurl, which is loaded when it is first needed. Transfers run at the same time, on the
 * thread that polls for them. One transfer is one request and its answer: redirects, logins and
 * second tries are the session's (session.h).
 */
#ifndef LIB_HTTP_H
#define LIB_HTTP_H

#include <sys/types.h>

#include <volt-qemu/error.h>

#include "remote/answer.h"

struct http; /* all transfers of a call */

struct http_settings {
    const char *ca_file, *certificate, *key, *proxy; /* or NULL */
    uint64_t connect_seconds, stall_seconds;         /* seconds */
};

/* The settings are borrowed. VQEMU_ERR_UNSUPPORTED (reason "library-missing"). */
int http_open(const struct http_settings *settings, struct http **http, vqemu_error **error);
void http_close(struct http *http);

enum http_outcome {
    HTTP_ANSWERED,
    HTTP_NO_SOCKET,       /* can be made: system_errno */
    HTTP_UNREACHABLE,     /* no such host, nobody there, or somebody who does not talk HTTP */
    HTTP_BROKEN_OFF,      /* in the middle */
    HTTP_STALLED,         /* too slow */
    HTTP_CERTIFICATE,     /* the server's is not good */
    HTTP_NO_TLS,          /* that could not be agreed on */
    HTTP_HUNG_UP_ON_US,   /* over TLS, before an answer: a client certificate may be wanted */
    HTTP_FILE,            /* of certificates, which cannot be used */
    HTTP_REFUSED_ADDRESS, /* public_only */
    HTTP_PROXY_REFUSED,   /* proxy_status */
    HTTP_TOO_LARGE,
    HTTP_LONG_LINE, /* a header too long for libcurl, or memory was short while it came */
    HTTP_ENDED,     /* by who receives or sends */
    HTTP_NO_MEMORY,
};

/* Who takes the body of a good answer, as it comes, instead of answer->body. */
struct http_receiver {
    /* False ends the transfer. answer: status and headers are there. */
    bool (*take)(void *context, const struct answer *answer, const void *bytes, size_t size);
    void *context;
};

/* What is sent with a request. */
struct http_upload {
    uint64_t size;
    const char *type;
    /* The next bytes: how many, or a negative errno, which ends the transfer. */
    ssize_t (*read)(void *context, void *bytes, size_t size);
    /* From the start again: a connection was lost before anything came back. 0 or a negative errno.
     */
    int (*rewind)(void *context);
    void *context;
};

struct http_transfer {
    /* All borrowed until it is done; NULL where there is none. */
    const char *method, *url, *accept;
    const char *authorization;   /* a whole header */
    const char *user, *password; /* for Basic */
    const char *form;            /* the body of a POST */
    const char *range;           /* "0-99", in bytes */
    const struct http_receiver *receiver;
    const struct http_upload *upload;
    size_t body_max;        /* of a good answer without receiver */
    bool public_only;       /* not to addresses of this host and its link */
    bool shows_certificate; /* that of the client, to the registry itself */
    struct answer *answer;  /* empty; filled in */
    void *owner;            /* the caller's */

    enum http_outcome outcome;
    int system_errno;
    char problem[256]; /* libcurl's words for it; of another outcome than HTTP_ANSWERED */
    long proxy_status; /* when a way through it was asked for */

    /* The rest is http.c's. */
    struct http *http;
    void *handle, *headers;
    bool refused_address, reached_local, had_socket, too_large, was_ended, is_refused;
};

/* Begin one. It stays where it is until it is done, or abandoned. Returns 0 or -ENOMEM. */
int http_start(struct http *http, struct http_transfer *transfer);

/* Go on with all, waiting so many milliseconds for something to do. Returns 0 or -ENOMEM. */
int http_poll(struct http *http, int milliseconds);

/* One that is done; NULL if none is. */
struct http_transfer *http_next_done(struct http *http);

/* End one, whether it is done or not; nothing if it was not begun. */
void http_end(struct http_transfer *transfer);

#endif
