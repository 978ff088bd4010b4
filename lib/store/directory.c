/* SPDX-License-Identifier: MIT */
#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/path.h"

/* Cut the last component off; false if there is none left to cut. */
static bool cut_component(char *path) {
    char *slash = strrchr(path, '/');
    if (!*path || strcmp(path, "/") == 0)
        return false;
    if (slash)
        slash[slash == path] = '\0'; /* "/a" becomes "/" */
    else
        *path = '\0';
    return true;
}

int directory_find(struct directory *directory, int base_fd, const char *path) {
    _cleanup_free_ char *above = strdup(path);
    int fd = -ENOENT;
    if (!above)
        return -ENOMEM;
    while (fd < 0 && cut_component(above))
        fd = open_at(base_fd, *above ? above : ".", O_PATH | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    const char *rest = path + strlen(above);
    directory->rest = strdup(rest + strspn(rest, "/"));
    directory->anchor_fd = fd;
    return directory->rest ? 0 : -ENOMEM;
}

void directory_release(struct directory *directory) {
    int fd = atomic_load(&directory->fd);
    cleanup_close(&fd);
    cleanup_close(&directory->anchor_fd);
    free(directory->rest);
    *directory = DIRECTORY_NONE;
}

int directory_open(const struct directory *directory, bool create) {
    const int flags = O_RDONLY | O_DIRECTORY;
    int fd = open_at(directory->anchor_fd, directory->rest, flags, 0);
    if (fd != -ENOENT || !create)
        return fd;
    int r = make_directories(directory->anchor_fd, directory->rest);
    return r < 0 ? r : open_at(directory->anchor_fd, directory->rest, flags, 0);
}

/* One that was opened before may have been removed since. */
static bool is_there(int fd, struct stat *status) {
    return fd >= 0 && fstat(fd, status) == 0 && status->st_nlink > 0;
}

static int open_anew(struct directory *directory, bool create, int *opened, struct stat *status) {
    _cleanup_close_ int fd = directory_open(directory, create);
    if (fd < 0)
        return fd;
    if (fstat(fd, status) < 0)
        return -errno;
    int none = -1, new = take_fd(&fd);
    if (!atomic_compare_exchange_strong(&directory->fd, &none, new))
        *opened = new;
    return new;
}

int directory_use(struct directory *directory, bool create, int *fd, int *opened,
                  struct stat *status) {
    *opened = -1;
    *fd = atomic_load(&directory->fd);
    if (!is_there(*fd, status))
        *fd = open_anew(directory, create, opened, status);
    return *fd < 0 ? *fd : 0;
}

static bool leads_to(const char *path, const struct stat *status) {
    struct stat found;
    return stat(path, &found) == 0 && found.st_dev == status->st_dev &&
           found.st_ino == status->st_ino;
}

char *directory_path(int fd, const struct stat *status, const char *path) {
    char link[sizeof "/proc/self/fd/" + 12], name[PATH_MAX];
    if (leads_to(path, status))
        return strdup(path);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length > 0)
        name[length] = '\0';
    return strdup(length > 0 && *name == '/' && leads_to(name, status) ? name : path);
}
