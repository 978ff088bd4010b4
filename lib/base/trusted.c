/* SPDX-License-Identifier: MIT */
#include "base/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/path.h"

/* What is left of the way, which a link makes longer. */
struct way {
    struct trusted_walk *walk;
    char rest[PATH_MAX];
    unsigned links;
    uid_t root_owner; /* of "/": in a user namespace, root may have no number there */
    bool in_shared;   /* others can put something into the directory above */
};

bool trusted_own(uid_t owner) {
    return owner == 0 || owner == geteuid(); /* mostly root's: no system call for each file */
}

bool trusted_owner(uid_t owner, uid_t user) {
    return trusted_own(owner) || owner == user;
}

bool trusted_others_write(const struct stat *directory) {
    return directory->st_mode & (S_IWGRP | S_IWOTH);
}

static int distrusted(struct trusted_walk *walk, enum distrust distrust, const struct stat *status,
                      int code) {
    walk->distrust = distrust;
    walk->status = *status;
    return code;
}

/* A directory that something is looked up in. */
static int check_directory(struct way *way, int fd, struct stat *status) {
    struct trusted_walk *walk = way->walk;
    if (fstat(fd, status) < 0)
        return -errno;
    bool is_roots = status->st_uid == way->root_owner && !way->in_shared;
    if (!is_roots && !trusted_owner(status->st_uid, walk->user))
        return distrusted(walk, DISTRUST_OWNER, status, -EACCES);
    way->in_shared = trusted_others_write(status);
    if (way->in_shared && !(status->st_mode & S_ISVTX))
        return distrusted(walk, DISTRUST_MODE, status, -EACCES);
    return 0;
}

/* ---- where it is ---- */

static int enter_place(struct trusted_walk *walk, const char *name) {
    size_t length = strlen(walk->place);
    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0) { /* no part of the place is a link */
        char *slash = strrchr(walk->place, '/');
        if (slash)
            *slash = '\0';
        return 0;
    }
    int n = snprintf(walk->place + length, sizeof walk->place - length, "/%s", name);
    return n < (int)(sizeof walk->place - length) ? 0 : -ENAMETOOLONG;
}

/* The next name is taken off the rest. */
static int take_name(struct way *way, char name[static NAME_MAX + 1], bool *is_last) {
    const char *begin = way->rest + strspn(way->rest, "/");
    size_t length = strcspn(begin, "/");
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, begin, length);
    name[length] = '\0';
    const char *behind = begin + length + strspn(begin + length, "/");
    *is_last = !*behind;
    path_drop_front(way->rest, (size_t)(behind - way->rest));
    return length > 0;
}

/* ---- links ---- */

static int check_link(struct trusted_walk *walk, const struct stat *directory, int fd) {
    struct stat link;
    if (fstat(fd, &link) < 0)
        return -errno;
    if (!S_ISLNK(link.st_mode))
        return -ENOTDIR;
    bool is_trusted = trusted_owner(directory->st_uid, 0) && trusted_owner(link.st_uid, 0);
    return is_trusted ? 0 : distrusted(walk, DISTRUST_LINK, &link, -ELOOP);
}

/* Go on where a link leads to. Returns a descriptor of the directory that its text begins at. */
static int follow(struct way *way, int directory_fd, int link_fd, const char *name) {
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t length = readlinkat(link_fd, "", target, sizeof target);
    if (length < 0)
        return -errno;
    if (++way->links > PATH_LINKS_MAX)
        return -ELOOP;
    int n = snprintf(rest, sizeof rest, "%.*s/%s", (int)length, target, way->rest);
    if (n >= (int)sizeof rest || length == sizeof target)
        return -ENAMETOOLONG;
    memcpy(way->rest, rest, (size_t)n + 1);
    way->walk->place[strlen(way->walk->place) - strlen(name) - 1] = '\0';
    if (length > 0 && *target == '/')
        *way->walk->place = '\0';
    return open_at(directory_fd, *target == '/' ? "/" : ".", O_PATH | O_DIRECTORY, 0);
}

/* ---- the steps ---- */

static int make(struct trusted_walk *walk, int directory_fd, const char *name, bool is_last) {
    int r = make_directory_at(directory_fd, name, is_last ? 0700 : 0755);
    if (r < 0 && r != -EEXIST) /* another process was first */
        return r;
    walk->made = r == 0 && is_last;
    return open_at(directory_fd, name, O_PATH | O_NOFOLLOW | (is_last ? 0 : O_DIRECTORY), 0);
}

/* Without O_DIRECTORY at the end: whatever is there is opened, and not what it leads to. */
static int step(struct way *way, int directory_fd, const char *name, bool is_last) {
    struct trusted_walk *walk = way->walk;
    struct stat directory;
    int r = check_directory(way, directory_fd, &directory);
    if (r == 0)
        r = enter_place(walk, name);
    if (r < 0)
        return r;
    int fd = open_at(directory_fd, name, O_PATH | O_NOFOLLOW | (is_last ? 0 : O_DIRECTORY), 0);
    if (fd == -ENOENT && walk->makes_directories)
        return make(walk, directory_fd, name, is_last);
    if (fd != -ENOTDIR || is_last)
        return fd;
    _cleanup_close_ int link_fd = open_at(directory_fd, name, O_PATH | O_NOFOLLOW, 0);
    r = link_fd < 0 ? link_fd : check_link(walk, &directory, link_fd);
    return r < 0 ? r : follow(way, directory_fd, link_fd, name);
}

int trusted_open(const char *path, struct trusted_walk *walk) {
    struct way way = {.walk = walk};
    char name[NAME_MAX + 1];
    struct stat root;
    bool is_last;
    int r;
    walk->made = false;
    walk->distrust = DISTRUST_NOTHING;
    *walk->place = '\0';
    if (strlen(path) >= sizeof way.rest)
        return -ENAMETOOLONG;
    strcpy(way.rest, path);
    _cleanup_close_ int fd = open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    if (fd >= 0 && fstat(fd, &root) < 0)
        return -errno;
    way.root_owner = root.st_uid;
    while (fd >= 0 && (r = take_name(&way, name, &is_last)) != 0) {
        int next = r < 0 ? r : step(&way, fd, name, is_last);
        cleanup_close(&fd);
        fd = next;
    }
    return take_fd(&fd);
}
