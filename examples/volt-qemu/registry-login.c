/* SPDX-License-Identifier: MIT */
#include "registry-login.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "cleanup.h"
#include "credential-helper.h"
#include "message.h"
#include "open-patiently.h"
#include "read-text.h"
#include "registry-paths.h"
#include "text.h"

#define SECRET_MAX ((size_t)65536)
#define FILE_MAX ((size_t)1024 * 1024)

/* By this key Docker's own registry is kept, whatever it is called. */
#define DOCKER_KEY "https://index.docker.io/v1/"

static void free_secret(char **text) {
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
}
#define _cleanup_secret_ _cleanup_(free_secret)

/* from: who has the value, a file or a program. */
static int set(vqemu_remote *remote, const char *key, const char *value, const char *from) {
    _cleanup_error_ vqemu_error *error = NULL;
    return vqemu_remote_set_string(remote, key, value, &error) ? fail_about(from, error) : 0;
}

static int set_login(vqemu_remote *remote, const char *user, const char *password,
                     const char *from) {
    int status = set(remote, VQEMU_REMOTE_USER, user, from);
    return status ? status : set(remote, VQEMU_REMOTE_PASSWORD, password, from);
}

/* ---- by options ---- */

static void end_at_line(char *text) {
    text[strcspn(text, "\r\n")] = '\0';
}

static int login_by_input(const struct options *options, vqemu_remote *remote) {
    if (!options->user || !options->password_stdin)
        return fail_usage(options->command, "--user and --password-stdin belong together");
    _cleanup_secret_ char *password = NULL;
    int status =
        read_text(options, STDIN_FILENO, "the password from standard input", SECRET_MAX, &password);
    if (status)
        return status;
    end_at_line(password);
    int bad_user = set(remote, VQEMU_REMOTE_USER, options->user, "--user");
    return bad_user ? bad_user : set(remote, VQEMU_REMOTE_PASSWORD, password, "standard input");
}

static int login_by_file(const struct options *options, vqemu_remote *remote) {
    int fd = open_to_read(options->login_file);
    if (fd < 0)
        return fail_system(errno, "cannot open %s", options->login_file);
    _cleanup_secret_ char *text = NULL;
    int status = read_text(options, fd, options->login_file, SECRET_MAX, &text);
    close(fd);
    if (status)
        return status;
    end_at_line(text);
    char *colon = strchr(text, ':');
    if (!colon)
        return fail_invalid("invalid", "%s has no line NAME:PASSWORD", options->login_file);
    *colon = '\0';
    return set_login(remote, text, colon + 1, options->login_file);
}

/* ---- files of logins ---- */

static int value_of_letter(char c) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(letters, c) : NULL;
    return at ? (int)(at - letters) : -1;
}

/* Base64 (RFC 4648); it ends at what is none. */
static char *decode(const char *text) {
    char *bytes = grow(NULL, strlen(text) + 1);
    size_t length = 0;
    unsigned held = 0, bits = 0;
    for (int value; (value = value_of_letter(*text)) >= 0; text++) {
        held = held << 6 | (unsigned)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[length++] = (char)(held >> bits & 0xff);
        }
    }
    bytes[length] = '\0';
    return bytes;
}

/* Docker's keys can be URLs: the host is what counts. */
static bool key_is_for_host(const char *key, const char *host) {
    const char *scheme = strstr(key, "://");
    const char *start = scheme ? scheme + 3 : key;
    size_t length = strcspn(start, "/");
    return length == strlen(host) && strncmp(start, host, length) == 0 &&
           (scheme || start[length] == '\0');
}

/* The entry of a repository: the longest key that it begins with. */
static json_t *find_entry(json_t *entries, const char *repository, const char *host) {
    _cleanup_free_ char *name = format_text("%s", repository);
    const char *key;
    json_t *entry;
    for (char *end = name + strlen(name); end; end = strrchr(name, '/')) {
        *end = '\0';
        if ((entry = json_object_get(entries, name)))
            return entry;
    }
    json_object_foreach(entries, key, entry) {
        if (key_is_for_host(key, host))
            return entry;
    }
    return strcmp(host, "docker.io") == 0 ? json_object_get(entries, DOCKER_KEY) : NULL;
}

static int login_by_helper(const struct options *options, const char *name, const char *host,
                           vqemu_remote *remote, bool *found) {
    json_t *answer;
    const char *registry = strcmp(host, "docker.io") == 0 ? DOCKER_KEY : host;
    int status = credential_helper_ask(options, name, registry, &answer);
    if (status || !answer)
        return status;
    const char *user = json_string_value(json_object_get(answer, "Username"));
    const char *secret = json_string_value(json_object_get(answer, "Secret"));
    _cleanup_free_ char *program = format_text("docker-credential-%s", name);
    *found = user && secret;
    if (!*found)
        status = fail_invalid("invalid", "%s has no login for %s in its answer", program, registry);
    else
        status = strcmp(user, "<token>") == 0
                     ? set(remote, VQEMU_REMOTE_IDENTITY_TOKEN, secret, program)
                     : set_login(remote, user, secret, program);
    json_decref(answer);
    return status;
}

static int login_by_entry(const json_t *entry, const char *path, vqemu_remote *remote,
                          bool *found) {
    const char *token = json_string_value(json_object_get(entry, "identitytoken"));
    const char *auth = json_string_value(json_object_get(entry, "auth"));
    *found = (token && *token) || (auth && *auth);
    if (token && *token)
        return set(remote, VQEMU_REMOTE_IDENTITY_TOKEN, token, path);
    if (!*found)
        return 0;
    _cleanup_secret_ char *login = decode(auth);
    char *colon = strchr(login, ':');
    if (!colon)
        return fail_invalid("invalid", "%s has a login that is no NAME:PASSWORD in base64", path);
    *colon = '\0';
    return set_login(remote, login, colon + 1, path);
}

static int login_by_document(const struct options *options, const json_t *document,
                             const char *path, const char *repository, vqemu_remote *remote,
                             bool *found) {
    _cleanup_free_ char *host = format_text("%.*s", (int)strcspn(repository, "/"), repository);
    const char *helper =
        json_string_value(json_object_get(json_object_get(document, "credHelpers"), host));
    if (helper)
        return login_by_helper(options, helper, host, remote, found);
    json_t *entry = find_entry(json_object_get(document, "auths"), repository, host);
    int status = entry ? login_by_entry(entry, path, remote, found) : 0;
    helper = json_string_value(json_object_get(document, "credsStore"));
    if (!status && !*found && helper && *helper)
        status = login_by_helper(options, helper, host, remote, found);
    return status;
}

/* One that is not there is passed over, unless it was asked for. */
static int login_by_path(const struct options *options, const char *path, const char *repository,
                         vqemu_remote *remote, bool *found) {
    json_error_t problem;
    int fd = open_to_read(path);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR) && !options->authfile)
        return 0;
    if (fd < 0)
        return fail_system(errno, "cannot open %s, a file of logins", path);
    _cleanup_free_ char *what = format_text("%s, a file of logins", path);
    _cleanup_secret_ char *text = NULL;
    int status = read_text(options, fd, what, FILE_MAX, &text);
    close(fd);
    if (status)
        return status;
    json_t *document = json_loads(text, 0, &problem);
    if (!document)
        return fail_invalid("invalid", "%s, a file of logins, is broken in line %d: %s", path,
                            problem.line, problem.text);
    status = login_by_document(options, document, path, repository, remote, found);
    json_decref(document);
    return status;
}

int set_registry_login(const struct options *options, const char *repository,
                       vqemu_remote *remote) {
    bool found = false;
    int status = 0;
    if (options->login_file)
        return login_by_file(options, remote);
    if (options->user || options->password_stdin)
        return login_by_input(options, remote);
    if (options->authfile)
        return login_by_path(options, options->authfile, repository, remote, &found);
    for (size_t i = 0; !status && !found; i++) {
        _cleanup_free_ char *path = registry_login_path(i);
        if (!path)
            break;
        status = login_by_path(options, path, repository, remote, &found);
    }
    return status;
}
