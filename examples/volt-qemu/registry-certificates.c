/* SPDX-License-Identifier: MIT */
#include "registry-certificates.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "open-patiently.h"
#include "read-text.h"
#include "registry-paths.h"
#include "text.h"
#include "whole-file.h"

#define FILE_MAX ((size_t)4 * 1024 * 1024)

void registry_certificates_release(struct registry_certificates *certificates) {
    free(certificates->ca_file);
    free(certificates->certificate);
    free(certificates->key);
}

/* ---- the names in a directory ---- */

struct names {
    struct dirent **entries;
    int count;
};

static void release_names(struct names *names) {
    for (int i = 0; i < names->count; i++)
        free(names->entries[i]);
    free(names->entries);
}

static bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name), size = strlen(end);
    return length > size && strcmp(name + length - size, end) == 0;
}

/* Whether there is one with another end: "client.key" beside "client.cert". */
static bool has_beside(const struct names *names, const char *name, const char *end,
                       const char *other_end) {
    _cleanup_free_ char *other =
        format_text("%.*s%s", (int)(strlen(name) - strlen(end)), name, other_end);
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->entries[i]->d_name, other) == 0)
            return true;
    return false;
}

/* ---- authorities ---- */

/* As podman does, what is none is left out: but it is told. */
static int add_authorities(const struct options *options, const char *path, int fd) {
    int file = open_to_read(path);
    if (file < 0)
        return fail_system(errno, "cannot open %s", path);
    _cleanup_free_ char *text = NULL;
    int status = read_text(options, file, path, FILE_MAX, &text);
    close(file);
    if (!status && !strstr(text, "-----BEGIN ")) {
        warn("%s has no certificate as PEM, and is left out", path);
        return 0;
    }
    if (status)
        return status;
    bool is_written = write_whole(fd, text, strlen(text)) == 0 &&
                      write_whole(fd, "\n", 1) == 0; /* it may end without */
    return is_written ? 0 : fail_system(errno, "cannot join the certificates of authorities");
}

/* A registry can lead to a server of others, which has a certificate as all have. */
static int add_those_of_the_system(const struct options *options, int fd) {
    static const char *const paths[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Arch, Alpine */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora and what is made of it */
        "/etc/pki/tls/certs/ca-bundle.crt",                  /* the same before */
        "/etc/ssl/ca-bundle.pem",                            /* SUSE */
        "/etc/ssl/cert.pem",                                 /* Alpine before */
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (access(paths[i], R_OK) == 0)
            return add_authorities(options, paths[i], fd);
    return 0;
}

/* libcurl wants one file of all: it opens it by its name for each connection. */
static int join_authorities(const struct options *options, const char *directory,
                            const struct names *names, char **joined) {
    int fd = -1, status = 0;
    for (int i = 0; !status && i < names->count; i++) {
        if (!ends_with(names->entries[i]->d_name, ".crt"))
            continue;
        if (fd < 0)
            fd = memfd_create("certificates", MFD_CLOEXEC);
        if (fd < 0)
            return fail_system(errno, "cannot join the certificates in %s", directory);
        _cleanup_free_ char *path = format_text("%s/%s", directory, names->entries[i]->d_name);
        status = add_authorities(options, path, fd);
    }
    if (fd < 0 || status)
        return status;
    *joined = format_text("/proc/self/fd/%d", fd);
    return add_those_of_the_system(options, fd);
}

/* ---- the client's ---- */

static int lacks_other(const char *directory, const char *name, const char *end,
                       const char *other_end) {
    return fail_invalid("invalid", "%s/%s has no %.*s%s beside it; an authority's ends in .crt",
                        directory, name, (int)(strlen(name) - strlen(end)), name, other_end);
}

static int find_own(const char *directory, const struct names *names,
                    struct registry_certificates *found) {
    for (int i = 0; i < names->count; i++) {
        const char *name = names->entries[i]->d_name;
        bool is_certificate = ends_with(name, ".cert");
        if (ends_with(name, ".key") && !has_beside(names, name, ".key", ".cert"))
            return lacks_other(directory, name, ".key", ".cert");
        if (is_certificate && !has_beside(names, name, ".cert", ".key"))
            return lacks_other(directory, name, ".cert", ".key");
        if (is_certificate && found->certificate)
            warn("%s/%s is left out: the client shows %s", directory, name, found->certificate);
        if (!is_certificate || found->certificate)
            continue;
        int length = (int)(strlen(name) - strlen(".cert"));
        found->certificate = format_text("%s/%s", directory, name);
        found->key = format_text("%s/%.*s.key", directory, length, name);
    }
    return 0;
}

/* ---- all of them ---- */

/* The first directory that is there counts. */
int registry_certificates_find(const struct options *options, const char *host,
                               struct registry_certificates *found) {
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *directory = registry_certificate_directory(i, host);
        _cleanup_(release_names) struct names names = {0};
        if (!directory)
            return 0;
        names.count = scandir(directory, &names.entries, NULL, alphasort);
        if (names.count < 0 && errno != ENOENT)
            warn("cannot read %s: %s", directory, strerror(errno));
        if (names.count < 0)
            continue;
        int status =
            options->ca_file ? 0 : join_authorities(options, directory, &names, &found->ca_file);
        return status || options->certificate ? status : find_own(directory, &names, found);
    }
}
