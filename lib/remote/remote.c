/* SPDX-License-Identifier: MIT */
#include "remote/remote.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/options.h"
#include "remote/url.h"
#include "util/export.h"
#include "util/strbuf.h"
#include "util/word.h"

#define REPOSITORY_MAX 255 /* of host and name together, which many clients keep to */
#define TIMEOUT_MAX 3600
#define TRIES_MAX 100

#define OPTION(name, kind)                                                                         \
    { #name, kind, offsetof(struct vqemu_remote, name) }
static const struct option_key keys[] = {
    OPTION(user, OPTION_STRING),           OPTION(password, OPTION_SECRET),
    OPTION(identity_token, OPTION_SECRET), OPTION(ca_file, OPTION_STRING),
    OPTION(certificate, OPTION_STRING),    OPTION(key, OPTION_STRING),
    OPTION(proxy, OPTION_SECRET), /* a login may be in it */
    OPTION(token_host, OPTION_STRING),     OPTION(mount_from, OPTION_STRING),
    OPTION(plain_http, OPTION_NUMBER),     OPTION(connect_seconds, OPTION_NUMBER),
    OPTION(stall_seconds, OPTION_NUMBER),  OPTION(connections, OPTION_NUMBER),
    OPTION(tries, OPTION_NUMBER),
};

static const struct options_type type = {
    .noun = "a remote",
    .size = sizeof(struct vqemu_remote),
    .keys = keys,
    .key_count = sizeof keys / sizeof *keys,
};

/* ---- names of repositories ---- */

static bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* How long what may stand between letters is: ".", "_", "__", or dashes. */
static size_t separator_length(const char *text) {
    if (*text == '-')
        return strspn(text, "-");
    if (*text == '_')
        return text[1] == '_' ? 2 : 1;
    return *text == '.';
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*, joined by "/" (distribution-spec). */
static bool name_is_good(const char *name) {
    do {
        if (!is_alphanumeric(*name))
            return false;
        while (is_alphanumeric(*name))
            name++;
        if (*name == '\0')
            return true;
        name += *name == '/' ? 1 : separator_length(name);
    } while (is_alphanumeric(*name));
    return false;
}

static int bad_repository(const char *repository, const char *fault, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "\"%s\" is no repository such as registry.example/volt/kvm-linux: %s",
                      repository, fault);
    return error_because(r, error, "repository", VQEMU_DETAIL_VALUE, repository, NULL);
}

static const char *find_fault(const char *repository, const char *name, const char *host) {
    if (strstr(repository, "://"))
        return "it has a scheme, which is left out";
    if (!name)
        return "it has no name behind the host";
    if (strlen(repository) > REPOSITORY_MAX)
        return "it has more than 255 bytes";
    if (strchr(name, '@') || strchr(name, ':'))
        return "a tag or digest is no part of it";
    if (!strpbrk(host, ".:") && strcmp(host, "localhost") != 0)
        return "it begins with no host, which has a dot or a port";
    if (strpbrk(host, "?#"))
        return "its host has other than letters, digits, dots and dashes";
    return name_is_good(name)
               ? NULL
               : "its name has other than lower case letters and digits, with single "
                 "separators between";
}

/* Where Docker's own registry is, by a convention of all clients. */
static const char *host_to_ask(const char *host) {
    bool is_docker = strcmp(host, "docker.io") == 0 || strcmp(host, "index.docker.io") == 0;
    return is_docker ? "registry-1.docker.io" : host;
}

/* Whether host and port can be ones. */
static int set_host(vqemu_remote *remote) {
    _cleanup_free_ char *text = format_string("https://%s/", remote->authority);
    _cleanup_url_ struct url url = {0};
    int r = text ? url_parse(text, &url) : -ENOMEM;
    remote->host = TAKE_POINTER(url.host);
    return r;
}

static int set_repository(vqemu_remote *remote, const char *repository, vqemu_error **error) {
    const char *slash = strchr(repository, '/');
    size_t length = slash ? (size_t)(slash - repository) : strlen(repository);
    _cleanup_free_ char *host = strndup(repository, length);
    if (!host)
        return error_no_memory(error);
    const char *fault = find_fault(repository, slash ? slash + 1 : NULL, host);
    if (fault)
        return bad_repository(repository, fault, error);
    remote->repository = strdup(repository);
    remote->authority = strdup(host_to_ask(host));
    remote->name = strdup(slash + 1);
    int r = remote->repository && remote->authority && remote->name ? set_host(remote) : -ENOMEM;
    if (r == -EINVAL)
        return bad_repository(repository, "its host or port cannot be one", error);
    return r < 0 ? error_no_memory(error) : 0;
}

VQEMU_EXPORT int vqemu_remote_new(const char *repository, vqemu_remote **remote,
                                  vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(remote, error);
    *remote = NULL;
    REQUIRE_ARGUMENT(repository, error);
    vqemu_remote *new = options_new(&type);
    int r = new ? set_repository(new, repository, error) : error_no_memory(error);
    if (r == 0)
        *remote = new;
    else
        vqemu_remote_free(new);
    return r;
}

VQEMU_EXPORT void vqemu_remote_free(vqemu_remote *remote) {
    if (!remote)
        return;
    free(remote->repository);
    free(remote->authority);
    free(remote->host);
    free(remote->name);
    options_free(&type, remote);
}

/* ---- settings ---- */

static bool is_path(const char *key) {
    return strcmp(key, VQEMU_REMOTE_CA_FILE) == 0 || strcmp(key, VQEMU_REMOTE_CERTIFICATE) == 0 ||
           strcmp(key, VQEMU_REMOTE_KEY) == 0;
}

/* A line end in a login would end a header of the request. The value is in no message: it may be
 * secret. */
static int check_text(const char *key, const char *value, vqemu_error **error) {
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return options_invalid(key, NULL, NULL, error, "there is a control character in it");
    /* What is behind the colon may be the password. */
    if (strcmp(key, VQEMU_REMOTE_USER) == 0 && strchr(value, ':'))
        return options_invalid(key, NULL, NULL, error, "it has a colon, which no user has");
    if (strcmp(key, VQEMU_REMOTE_PROXY) == 0 && *value && !url_is_proxy(value))
        return options_invalid(key, NULL, NULL, error,
                               "it is no URL of a proxy, such as http://proxy.example:3128; "
                               "instead of http it can have https, socks4, socks4a, socks5 or "
                               "socks5h, and a name and password before the host, with %%XX for "
                               "signs that URLs have a use for");
    return is_path(key) && value[0] != '/' ? options_relative_path(key, value, error) : 0;
}

VQEMU_EXPORT int vqemu_remote_set_string(vqemu_remote *remote, const char *key, const char *value,
                                         vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(remote, error);
    REQUIRE_ARGUMENT(key, error);
    int r = value ? check_text(key, value, error) : 0;
    return r == 0 ? options_set_string(&type, remote, key, value, error) : r;
}

static uint64_t most_of(const char *key) {
    if (strcmp(key, VQEMU_REMOTE_PLAIN_HTTP) == 0)
        return 1;
    if (strcmp(key, VQEMU_REMOTE_CONNECTIONS) == 0)
        return REMOTE_CONNECTIONS_MAX;
    return strcmp(key, VQEMU_REMOTE_TRIES) == 0 ? TRIES_MAX : TIMEOUT_MAX;
}

VQEMU_EXPORT int vqemu_remote_set_number(vqemu_remote *remote, const char *key, uint64_t value,
                                         vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(remote, error);
    REQUIRE_ARGUMENT(key, error);
    vqemu_remote trial = *remote; /* of a key that is none, that is told first */
    int r = options_set_number(&type, &trial, key, value, error);
    if (r == 0 && value > most_of(key))
        return options_invalid(key, NULL, NULL, error, "%llu is more than %llu",
                               (unsigned long long)value, (unsigned long long)most_of(key));
    if (r == 0)
        *remote = trial;
    return r;
}

uint64_t remote_connect_seconds(const vqemu_remote *remote) {
    return remote->connect_seconds ? remote->connect_seconds : 30;
}

uint64_t remote_stall_seconds(const vqemu_remote *remote) {
    return remote->stall_seconds ? remote->stall_seconds : 60;
}

unsigned remote_connections(const vqemu_remote *remote) {
    return remote->connections ? (unsigned)remote->connections : 8;
}

unsigned remote_tries(const vqemu_remote *remote) {
    return remote->tries ? (unsigned)remote->tries : 6;
}

bool remote_has_login(const vqemu_remote *remote) {
    return remote->user || remote->identity_token;
}

/* The TLS library would wait for whoever writes to a FIFO, and nobody could end that. */
static int check_file(const vqemu_remote *remote, const char *key, const char *path,
                      vqemu_error **error) {
    struct stat status;
    if (!path || stat(path, &status) < 0 ||
        S_ISREG(status.st_mode)) /* its opening tells the rest */
        return 0;
    int r = error_set(error, VQEMU_ERR_NETWORK, 0, "%s: %s: %s is no regular file",
                      remote->repository, key, path);
    return error_because(r, error, "certificate", VQEMU_DETAIL_HOST, remote->authority, NULL);
}

static int check_files(const vqemu_remote *remote, vqemu_error **error) {
    int r = check_file(remote, VQEMU_REMOTE_CA_FILE, remote->ca_file, error);
    if (r == 0)
        r = check_file(remote, VQEMU_REMOTE_CERTIFICATE, remote->certificate, error);
    return r == 0 ? check_file(remote, VQEMU_REMOTE_KEY, remote->key, error) : r;
}

int remote_check(const vqemu_remote *remote, vqemu_error **error) {
    if (!remote->user != !remote->password)
        return options_missing(remote->user ? VQEMU_REMOTE_PASSWORD : VQEMU_REMOTE_USER,
                               "the login of a remote", error);
    if (remote->key && !remote->certificate)
        return options_missing(VQEMU_REMOTE_CERTIFICATE, "a remote that has a key", error);
    int r = remote->plain_http ? 0 : check_files(remote, error);
    if (r < 0 || !remote->plain_http || !remote_has_login(remote) || host_is_loopback(remote->host))
        return r;
    r = error_set(error, VQEMU_ERR_INVALID, 0,
                  "%s: a login is not sent over plain HTTP to another host, where anybody on the "
                  "way reads it; use https, or no login",
                  remote->repository);
    return error_because(r, error, "plain-login", VQEMU_DETAIL_HOST, remote->host, NULL);
}
