/* SPDX-License-Identifier: MIT */
#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trusted.h"
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

int directory_open_at(int base_fd, const char *path, bool *is_link) {
    const int flags = O_RDONLY | O_DIRECTORY;
    int fd = open_at(base_fd, path, flags | O_NOFOLLOW, 0);
    *is_link = fd == -ELOOP || fd == -ENOTDIR; /* the latter also of what is no directory */
    return *is_link ? open_at(base_fd, path, flags, 0) : fd;
}

int directory_open(const struct directory *directory, bool create, bool *is_link) {
    int fd = directory_open_at(directory->anchor_fd, directory->rest, is_link);
    if (fd != -ENOENT || !create)
        return fd;
    int r = make_directories(directory->anchor_fd, directory->rest);
    return r < 0 ? r : directory_open_at(directory->anchor_fd, directory->rest, is_link);
}

static bool is_the_same(int fd, const struct stat *status) {
    struct stat found;
    return fd >= 0 && fstat(fd, &found) == 0 && found.st_dev == status->st_dev &&
           found.st_ino == status->st_ino;
}

/* A path without links: who may not write to the directories on it cannot have it lead elsewhere.
 */
static bool leads_to(const char *path, const struct stat *status) {
    _cleanup_close_ int fd = open_without_links(path, O_PATH | O_DIRECTORY);
    return is_the_same(fd, status);
}

/* Links on it are root's and the caller's, and lie where nobody else puts his. */
static bool leads_by_links_to(const char *path, const struct stat *status) {
    _cleanup_free_ char *through = join_path(path, "."); /* a link at the end is followed, too */
    struct trusted_walk walk = {.user = geteuid()};
    _cleanup_close_ int fd = through ? trusted_open(through, &walk) : -ENOMEM;
    return is_the_same(fd, status);
}

int directory_path(int fd, const struct stat *status, const char *path, char **now) {
    char link[sizeof "/proc/self/fd/" + 12], name[PATH_MAX];
    const char *found = path;
    if (!leads_to(path, status) && !leads_by_links_to(path, status)) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, name, sizeof name - 1);
        name[length > 0 ? length : 0] = '\0';
        if (*name != '/' || !leads_to(name, status))
            return 0;
        found = name;
    }
    *now = strdup(found);
    return *now ? 1 : -ENOMEM;
}

int directory_recall(const struct directory *directory, const char *path, int *fd,
                     struct stat *status, char **now) {
    *fd = atomic_load(&directory->fd);
    if (*fd < 0 || fstat(*fd, status) < 0 || status->st_nlink == 0)
        return 0;
    return now ? directory_path(*fd, status, path, now) : 1;
}

int directory_keep(struct directory *directory, int *fd, int *opened) {
    int none = -1, new = take_fd(fd);
    *opened = atomic_compare_exchange_strong(&directory->fd, &none, new) ? -1 : new;
    return new;
}
