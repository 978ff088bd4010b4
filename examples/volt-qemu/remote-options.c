/* SPDX-License-Identifier: MIT */
#include "remote-options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "message.h"
#include "registry-certificates.h"
#include "registry-login.h"
#include "text.h"

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

static int set_strings(const struct options *options, const char *host,
                       const struct registry_certificates *found, vqemu_remote *remote,
                       vqemu_error **error) {
    const struct {
        const char *key, *value;
    } strings[] = {
        {VQEMU_REMOTE_CA_FILE, options->ca_file ? options->ca_file : found->ca_file},
        {VQEMU_REMOTE_CERTIFICATE,
         options->certificate ? options->certificate : found->certificate},
        {VQEMU_REMOTE_KEY, options->certificate ? options->certificate_key : found->key},
        {VQEMU_REMOTE_PROXY, find_proxy(options->plain_http, host)},
    };
    int code = 0;
    for (size_t i = 0; !code && i < sizeof strings / sizeof *strings; i++)
        code = vqemu_remote_set_string(remote, strings[i].key, strings[i].value, error);
    return code;
}

int remote_from_options(const struct options *options, const char *repository,
                        vqemu_remote **remote) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_remote_ vqemu_remote *new = NULL;
    _cleanup_free_ char *host = format_text("%.*s", (int)strcspn(repository, "/"), repository);
    _cleanup_(registry_certificates_release) struct registry_certificates found = {0};
    if (options->certificate_key && !options->certificate)
        return fail_usage(options->command, "--cert-key needs --cert");
    int status = options->plain_http ? 0 : registry_certificates_find(options, host, &found);
    if (status)
        return status;
    int code = vqemu_remote_new(repository, &new, &error);
    if (!code)
        code = vqemu_remote_set_number(new, VQEMU_REMOTE_PLAIN_HTTP, options->plain_http, &error);
    if (!code)
        code = set_strings(options, host, &found, new, &error);
    if (code)
        return fail_request(options->command, error);
    status = set_registry_login(options, repository, new);
    if (status)
        return status;
    *remote = new;
    new = NULL;
    return 0;
}
