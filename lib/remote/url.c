/* SPDX-License-Identifier: MIT */
#include "remote/url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "util/strbuf.h"
#include "util/word.h"

void url_release(struct url *url) {
    free(url->host);
    free(url->path);
    *url = (struct url){0};
}

static unsigned usual_port(bool is_https) {
    return is_https ? 443 : 80;
}

/* ---- reading ---- */

/* Bytes that a URL has no business with would pass for something else in a request or a message. */
static bool is_clean(const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f || strchr("\\\"<>^`{|}", text[i]))
            return false;
    return length > 0 && length <= URL_MAX;
}

static bool parse_port(const char *text, size_t length, unsigned *port) {
    unsigned number = 0;
    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = 10 * number + (unsigned)(text[i] - '0');
    }
    *port = number;
    return number > 0 && number <= 65535;
}

/* No part between dots is empty, but what is behind the last one. */
static bool has_empty_label(const char *host, size_t length) {
    return host[0] == '.' || memmem(host, length, "..", 2);
}

/* "[::1]" or a name; what may be in it. */
static bool host_is_good(const char *host, size_t length) {
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    if (length > 2 && host[0] == '[' && host[length - 1] == ']')
        return strspn(host + 1, "0123456789abcdefABCDEF:.") == length - 2;
    return length > 0 && length <= 253 && strspn(host, name) >= length && host[0] != '-' &&
           !has_empty_label(host, length);
}

static int set_authority(struct url *url, const char *text, size_t length) {
    const char *bracket = memchr(text, ']', length);
    size_t skip = bracket ? (size_t)(bracket - text) : 0;
    const char *colon = memchr(text + skip, ':', length - skip);
    size_t host_length = colon ? (size_t)(colon - text) : length;
    url->port = usual_port(url->is_https);
    if (!host_is_good(text, host_length) ||
        (colon && !parse_port(colon + 1, length - host_length - 1, &url->port)))
        return -EINVAL;
    url->host = strndup(text, host_length);
    if (!url->host)
        return -ENOMEM;
    for (char *c = url->host; *c; c++)
        *c = (char)fold_letter(*c);
    return 0;
}

static int set_path(struct url *url, const char *text) {
    size_t length = strcspn(text, "#");
    url->path = format_string("%s%.*s", text[0] == '/' ? "" : "/", (int)length, text);
    return url->path ? 0 : -ENOMEM;
}

static bool skip_scheme(const char **text, bool *is_https) {
    *is_https = begins_folded(*text, "https://");
    if (!*is_https && !begins_folded(*text, "http://"))
        return false;
    *text += strlen(*is_https ? "https://" : "http://");
    return true;
}

static int parse(const char *text, struct url *url) {
    if (!is_clean(text) || !skip_scheme(&text, &url->is_https))
        return -EINVAL;
    size_t length = strcspn(text, "/?#");
    int r = set_authority(url, text, length);
    return r == 0 ? set_path(url, text + length) : r;
}

int url_parse(const char *text, struct url *url) {
    *url = (struct url){0};
    int r = parse(text, url);
    if (r < 0)
        url_release(url);
    return r;
}

static bool has_scheme(const char *reference) {
    size_t length = strcspn(reference, ":/?#");
    return length > 0 && reference[length] == ':';
}

/* What is before the last slash of the path, with it, or the path without its query. */
static int kept_of_path(const char *path, bool is_query) {
    size_t length = strcspn(path, "?");
    while (!is_query && length > 0 && path[length - 1] != '/')
        length--;
    return (int)length;
}

int url_resolve(const struct url *base, const char *reference, struct url *url) {
    *url = (struct url){0};
    if (has_scheme(reference))
        return url_parse(reference, url);
    _cleanup_free_ char *authority = url_authority(base);
    if (!authority)
        return -ENOMEM;
    const char *scheme = base->is_https ? "https" : "http";
    int kept = reference[0] == '/' ? 0 : kept_of_path(base->path, reference[0] == '?');
    _cleanup_free_ char *text =
        begins_with(reference, "//")
            ? format_string("%s:%s", scheme, reference)
            : format_string("%s://%s%.*s%s", scheme, authority, kept, base->path, reference);
    return text ? url_parse(text, url) : -ENOMEM;
}

/* ---- proxies ---- */

/* Behind what is like "http://"; NULL if no proxy is talked to that way. */
static const char *skip_proxy_scheme(const char *text) {
    static const char *const schemes[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
    const char *behind = strstr(text, "://");
    if (!behind)
        return text;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (begins_folded(text, schemes[i]) && text + strlen(schemes[i]) == behind)
            return behind + strlen("://");
    return NULL;
}

bool url_is_proxy(const char *text) {
    _cleanup_url_ struct url url = {0};
    const char *authority = strlen(text) <= URL_MAX ? skip_proxy_scheme(text) : NULL;
    if (!authority)
        return false;
    size_t length = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', length);
    for (const char *c = authority; at && c < at; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    const char *host = at ? at + 1 : authority, *behind = authority + length;
    return (!*behind || strcmp(behind, "/") == 0) &&
           set_authority(&url, host, (size_t)(behind - host)) != -EINVAL;
}

/* ---- asking ---- */

bool url_same_origin(const struct url *a, const struct url *b) {
    return a->is_https == b->is_https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

char *url_authority(const struct url *url) {
    return url->port == usual_port(url->is_https) ? strdup(url->host)
                                                  : format_string("%s:%u", url->host, url->port);
}

char *url_to_text(const struct url *url) {
    _cleanup_free_ char *authority = url_authority(url);
    return authority
               ? format_string("%s://%s%s", url->is_https ? "https" : "http", authority, url->path)
               : NULL;
}

/* ---- hosts ---- */

static bool is_loopback_v4(uint32_t address) {
    return address >> 24 == 127;
}

static bool is_local_v4(uint32_t address) {
    return is_loopback_v4(address) || address >> 24 == 0 ||
           address >> 16 == 0xa9fe; /* 169.254/16 */
}

/* The address in the lower half of one that stands for IPv4. */
static bool maps_v4(const struct in6_addr *address, uint32_t *v4) {
    if (!IN6_IS_ADDR_V4MAPPED(address) && !IN6_IS_ADDR_V4COMPAT(address))
        return false;
    memcpy(v4, address->s6_addr + 12, sizeof *v4);
    *v4 = ntohl(*v4);
    return true;
}

/* The other address is where a cloud answers for its machines. */
static bool is_local_v6(const struct in6_addr *address) {
    static const struct in6_addr metadata = {
        {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}}};
    uint32_t v4;
    if (IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address) ||
        IN6_IS_ADDR_LINKLOCAL(address) || IN6_ARE_ADDR_EQUAL(address, &metadata))
        return true;
    return maps_v4(address, &v4) && is_local_v4(v4);
}

/* inet_aton(3) also reads what look-ups take for an address, such as 127.1 and 0x7f000001. */
static bool read_address(const char *host, struct in_addr *v4, struct in6_addr *v6, bool *is_v6) {
    char text[INET6_ADDRSTRLEN];
    size_t length = strlen(host);
    *is_v6 = host[0] == '[';
    if (!*is_v6)
        return inet_aton(host, v4) != 0;
    if (length < 3 || length - 2 >= sizeof text)
        return false;
    memcpy(text, host + 1, length - 2);
    text[length - 2] = '\0';
    return inet_pton(AF_INET6, text, v6) == 1;
}

bool host_is_loopback(const char *host) {
    struct in_addr v4;
    struct in6_addr v6;
    bool is_v6;
    if (!read_address(host, &v4, &v6, &is_v6))
        return strcmp(host, "localhost") == 0 || ends_with(host, ".localhost");
    return is_v6 ? IN6_IS_ADDR_LOOPBACK(&v6) : is_loopback_v4(ntohl(v4.s_addr));
}

bool host_is_local_address(const char *host) {
    struct in_addr v4;
    struct in6_addr v6;
    bool is_v6;
    if (!read_address(host, &v4, &v6, &is_v6))
        return host_is_loopback(host);
    return is_v6 ? is_local_v6(&v6) : is_local_v4(ntohl(v4.s_addr));
}

bool address_is_local(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return is_local_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        return is_local_v6(&v6.sin6_addr);
    }
    return true;
}
