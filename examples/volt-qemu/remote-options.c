/* SPDX-License-Identifier: MIT */
#include "remote-options.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "message.h"
#include "registry-login.h"
#include "registry-paths.h"
#include "text.h"

/* ---- certificates ---- */

struct certificates {
    char *ca_file, *certificate, *key;
};

static bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name), size = strlen(end);
    return length > size && strcmp(name + length - size, end) == 0;
}

/* The first of several, by name. */
static void consider(char **found, const char *directory, const char *name) {
    char *path = format_text("%s/%s", directory, name);
    bool is_first = !*found || strcmp(path, *found) < 0;
    char *dropped = is_first ? *found : path;
    if (is_first)
        *found = path;
    free(dropped);
}

static void look_into(const char *directory, struct certificates *found) {
    DIR *stream = opendir(directory);
    if (!stream)
        return;
    for (const struct dirent *entry; (entry = readdir(stream));) {
        if (ends_with(entry->d_name, ".crt"))
            consider(&found->ca_file, directory, entry->d_name);
        else if (ends_with(entry->d_name, ".cert"))
            consider(&found->certificate, directory, entry->d_name);
    }
    closedir(stream);
    if (found->certificate)
        found->key = format_text("%.*s.key", (int)(strlen(found->certificate) - strlen(".cert")),
                                 found->certificate);
}

/* The first directory that has any counts. */
static void look_for_certificates(const char *host, struct certificates *found) {
    for (size_t i = 0; !found->ca_file && !found->certificate; i++) {
        _cleanup_free_ char *directory = registry_certificate_directory(i, host);
        if (!directory)
            return;
        look_into(directory, found);
    }
}

/* ---- proxies ---- */

static const char *variable(const char *name, const char *other) {
    const char *value = getenv(name);
    if (!value || !*value)
        value = other ? getenv(other) : NULL;
    return value && *value ? value : NULL;
}

/* Whether one word of no_proxy means the host: itself, or a domain that it is in. */
static bool is_meant(const char *word, size_t length, const char *host) {
    size_t host_length = strcspn(host, ":");
    if (length == 1 && *word == '*')
        return true;
    if (length > 0 && *word == '.')
        word++, length--;
    if (length == 0 || length > host_length ||
        strncasecmp(host + host_length - length, word, length) != 0)
        return false;
    return length == host_length || host[host_length - length - 1] == '.';
}

static bool is_excepted(const char *host) {
    const char *list = variable("no_proxy", "NO_PROXY");
    while (list && *list) {
        list += strspn(list, ", ");
        size_t length = strcspn(list, ", ");
        if (is_meant(list, strcspn(list, ", :"), host))
            return true;
        list += length;
    }
    return false;
}

/* HTTP_PROXY can come from a request where a program serves the web. */
static const char *find_proxy(bool is_plain, const char *host) {
    const char *proxy =
        is_plain ? variable("http_proxy", NULL) : variable("https_proxy", "HTTPS_PROXY");
    if (!proxy)
        proxy = variable("all_proxy", "ALL_PROXY");
    return proxy && !is_excepted(host) ? proxy : NULL;
}

/* ---- all of it ---- */

static int set_strings(const struct options *options, const char *host, vqemu_remote *remote,
                       vqemu_error **error) {
    struct certificates found = {0};
    if (!options->plain_http)
        look_for_certificates(host, &found);
    const struct {
        const char *key, *value;
    } strings[] = {
        {VQEMU_REMOTE_CA_FILE, options->ca_file ? options->ca_file : found.ca_file},
        {VQEMU_REMOTE_CERTIFICATE, options->certificate ? options->certificate : found.certificate},
        {VQEMU_REMOTE_KEY, options->certificate ? options->certificate_key : found.key},
        {VQEMU_REMOTE_PROXY, find_proxy(options->plain_http, host)},
    };
    int code = 0;
    for (size_t i = 0; !code && i < sizeof strings / sizeof *strings; i++)
        code = vqemu_remote_set_string(remote, strings[i].key, strings[i].value, error);
    free(found.ca_file);
    free(found.certificate);
    free(found.key);
    return code;
}

int remote_from_options(const struct options *options, const char *repository,
                        vqemu_remote **remote) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_remote_ vqemu_remote *new = NULL;
    _cleanup_free_ char *host = format_text("%.*s", (int)strcspn(repository, "/"), repository);
    if (options->certificate_key && !options->certificate)
        return fail_usage(options->command, "--cert-key needs --cert");
    int code = vqemu_remote_new(repository, &new, &error);
    if (!code)
        code = vqemu_remote_set_number(new, VQEMU_REMOTE_PLAIN_HTTP, options->plain_http, &error);
    if (!code)
        code = set_strings(options, host, new, &error);
    if (code)
        return fail_request(options->command, error);
    int status = set_registry_login(options, repository, new);
    if (status)
        return status;
    *remote = new;
    new = NULL;
    return 0;
}
