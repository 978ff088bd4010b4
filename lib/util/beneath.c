/* SPDX-License-Identifier: MIT */
#include "util/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/path.h"

char *plain_path(const char *path) {
    char *plain = malloc(strlen(path) + 2), *end = plain;
    if (!plain)
        return NULL;
    for (const char *rest = path; *rest;) {
        size_t length = strcspn(rest, "/");
        bool is_nothing = length == 0 || (length == 1 && *rest == '.');
        if (!is_nothing) {
            *end++ = '/';
            memcpy(end, rest, length);
            end += length;
        }
        rest += length + (rest[length] == '/');
    }
    if (end == plain)
        *end++ = '/';
    *end = '\0';
    return plain;
}

static bool is_root(const char *directory) {
    return strcmp(directory, "/") == 0;
}

bool is_worded_beneath(const char *path, const char *directory) {
    size_t length = strlen(directory);
    if (is_root(directory))
        return true;
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

bool path_climbs(const char *path) {
    for (const char *found = strstr(path, "/.."); found; found = strstr(found + 1, "/.."))
        if (found[3] == '/' || !found[3])
            return true;
    return false;
}

/* Whether the component that a path goes on with is a number, as the directories of /proc are. */
static bool is_number(const char *component) {
    size_t digits = strspn(component, "0123456789");
    return digits > 0 && (component[digits] == '/' || !component[digits]);
}

bool path_is_of_process(const char *path) {
    static const char *const entries[] = {"/dev/fd",          "/dev/fdset",  "/dev/stdin",
                                          "/dev/stdout",      "/dev/stderr", "/proc/self",
                                          "/proc/thread-self"};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (is_worded_beneath(path, entries[i]))
            return true;
    return strncmp(path, "/proc/", strlen("/proc/")) == 0 && is_number(path + strlen("/proc/"));
}

/* The type of what a descriptor is open for. A link is one that was not followed. */
static int look_at(int fd, mode_t *mode) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    *mode = status.st_mode & S_IFMT;
    return S_ISLNK(status.st_mode) ? -ELOOP : 0;
}

/* What is there of the path is in the directory, and what is not, is not even a link. */
static int walk(int directory_fd, char *path, mode_t *mode) {
    _cleanup_close_ int fd = open_beneath(directory_fd, path, O_PATH, true);
    if (fd >= 0)
        return look_at(fd, mode);
    if (fd != -ENOENT)
        return fd;
    char *slash = strrchr(path, '/');
    _cleanup_close_ int parent = -1;
    if (slash) {
        *slash = '\0';
        parent = open_beneath(directory_fd, path, O_PATH | O_DIRECTORY, true);
        if (parent == -ENOENT) {
            parent = -1; /* nothing to be closed */
            return walk(directory_fd, path, mode);
        }
        if (parent < 0)
            return parent;
    }
    struct stat status;
    if (fstatat(slash ? parent : directory_fd, slash ? slash + 1 : path, &status,
                AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISLNK(status.st_mode) ? -ELOOP : -EAGAIN; /* made in this moment */
    return errno == ENOENT ? 0 : -errno;
}

int check_beneath(const char *path, const char *directory, mode_t *mode) {
    *mode = 0;
    if (path_climbs(path))
        return -EXDEV;
    const char *rest = path + (is_root(directory) ? 1 : strlen(directory));
    if (*rest == '/')
        rest++;
    _cleanup_close_ int fd = open_at(AT_FDCWD, directory, O_PATH, 0);
    if (fd < 0)
        return fd;
    if (!*rest)
        return look_at(fd, mode);
    _cleanup_free_ char *copy = strdup(rest);
    return copy ? walk(fd, copy, mode) : -ENOMEM;
}
