/* SPDX-License-Identifier: MIT */
/* URLs as registries say them: http and https alone, nothing that could hide where they lead. */
#ifndef LIB_URL_H
#define LIB_URL_H

#include <stdbool.h>

#include "util/cleanup.h"

#define URL_MAX 16384 /* signed URLs of object stores have some thousand bytes */

struct url {
    bool is_https;
    char *host; /* in lower case; an IPv6 address in brackets */
    unsigned port;
    char *path; /* from its slash on, with the query */
};

/* Both return 0, -EINVAL or -ENOMEM, and then *url is empty. */
int url_parse(const char *text, struct url *url);
/* What a reference means that stands in an answer from base. */
int url_resolve(const struct url *base, const char *reference, struct url *url);

/* Whether it can be a proxy: "[SCHEME://][USER[:PASSWORD]@]HOST[:PORT][/]". */
bool url_is_proxy(const char *text);

void url_release(struct url *url);
#define _cleanup_url_ _cleanup_(url_release)

/* Scheme, host and port are the same: who may see a login. */
bool url_same_origin(const struct url *a, const struct url *b);

/* The whole text; NULL without memory. Owned by the caller. */
char *url_to_text(const struct url *url);
/* "host" or "host:port", where the port is not the scheme's; NULL without memory. */
char *url_authority(const struct url *url);

/* A name or address of this host itself. */
bool host_is_loopback(const char *host);

/* An address that no registry elsewhere has business with: of this host, of its link (where clouds
 * answer for their machines), or none. False for names. */
bool host_is_local_address(const char *host);

struct sockaddr;
bool address_is_local(const struct sockaddr *address);

#endif
