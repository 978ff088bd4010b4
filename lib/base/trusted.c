/* SPDX-License-Identifier: MIT */
#include "base/trusted.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/fd.h"

struct walk {
    bool makes_directories, made;
    size_t reached;
};

static bool is_trusted(uid_t owner) {
    return owner == 0 || owner == geteuid();
}

/* Nobody else can have made the link, or put it in another one's place. */
static bool trusts_link(int directory_fd, const struct stat *link) {
    struct stat directory;
    if (fstat(directory_fd, &directory) < 0)
        return false;
    bool others_replace = directory.st_mode & S_IWOTH && !(directory.st_mode & S_ISVTX);
    return is_trusted(directory.st_uid) && is_trusted(link->st_uid) && !others_replace;
}

static int open_component(int directory_fd, const char *name, bool is_last) {
    struct stat status;
    _cleanup_close_ int fd = open_at(directory_fd, name, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0 || is_last)
        return take_fd(&fd);
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISLNK(status.st_mode))
        return take_fd(&fd);
    return trusts_link(directory_fd, &status) ? open_at(directory_fd, name, O_PATH | O_DIRECTORY, 0)
                                              : -ELOOP;
}

static int make_component(struct walk *walk, int directory_fd, const char *name, bool is_last) {
    int r = make_directory_at(directory_fd, name, is_last ? 0700 : 0755);
    if (r < 0 && r != -EEXIST) /* another process was first */
        return r;
    walk->made = r == 0 && is_last;
    return open_component(directory_fd, name, is_last);
}

static int step(struct walk *walk, int directory_fd, const char *name, bool is_last) {
    int fd = open_component(directory_fd, name, is_last);
    if (fd == -ENOENT && walk->makes_directories)
        return make_component(walk, directory_fd, name, is_last);
    return fd;
}

static int walk_to(const char *path, struct walk *walk) {
    const char *rest = path + strspn(path, "/");
    _cleanup_close_ int fd = open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    while (fd >= 0 && *rest) {
        char name[NAME_MAX + 1];
        size_t length = strcspn(rest, "/");
        if (length > NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(name, rest, length);
        name[length] = '\0';
        rest += length;
        walk->reached = (size_t)(rest - path);
        rest += strspn(rest, "/");
        int next = step(walk, fd, name, !*rest);
        cleanup_close(&fd);
        fd = next;
    }
    return take_fd(&fd);
}

int trusted_open(const char *path) {
    struct walk walk = {0};
    return walk_to(path, &walk);
}

int trusted_make_directory(const char *path, bool *made, size_t *reached) {
    struct walk walk = {.makes_directories = true};
    int fd = walk_to(path, &walk);
    *made = walk.made;
    *reached = walk.reached;
    return fd;
}
