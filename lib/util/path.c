/* SPDX-License-Identifier: MIT */
#include "util/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/strbuf.h"

/* How often an opening is tried again that others disturb. */
#define OPEN_ATTEMPTS 10000

char *make_absolute(const char *path) {
    _cleanup_free_ char *cwd = NULL;
    if (*path != '/') {
        cwd = getcwd(NULL, 0);
        if (!cwd)
            return NULL;
    }
    char *absolute = format_string("%s%s%s", cwd ? cwd : "", cwd ? "/" : "", path);
    if (!absolute)
        return NULL;
    size_t length = strlen(absolute);
    while (length > 1 && absolute[length - 1] == '/')
        absolute[--length] = '\0';
    return absolute;
}

static int make_directory(int base_fd, const char *path) {
    int r = make_directory_at(base_fd, path, 0755);
    return r == -EEXIST ? 0 : r;
}

int make_directories(int base_fd, const char *path) {
    _cleanup_free_ char *copy = strdup(path);
    int refused = 0;
    if (!copy)
        return -ENOMEM;
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int r = make_directory(base_fd, copy);
        /* A directory that cannot be made may be there all the same, above what is one's own. */
        if (r == -EROFS || r == -EACCES)
            refused = refused ? refused : r;
        else if (r < 0)
            return r == -ENOENT && refused ? refused : r;
        *slash = '/';
    }
    int r = make_directory(base_fd, copy);
    return r == -ENOENT && refused ? refused : r;
}

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* For kernels before 5.6, and sandboxes that refuse openat2: one component at a time. */
static int open_by_components(int directory_fd, const char *path, int flags) {
    _cleanup_close_ int parent = duplicate_fd(directory_fd);
    if (parent < 0)
        return parent;
    for (;;) {
        size_t length = strcspn(path, "/");
        char component[NAME_MAX + 1];
        if (length > NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(component, path, length);
        component[length] = '\0';
        if (length == 0 || strcmp(component, "..") == 0)
            return -EXDEV;
        if (!path[length])
            return open_at(parent, component, flags | O_NOFOLLOW, 0);
        int next = open_at(parent, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        if (next < 0)
            return next;
        close(parent);
        parent = next;
        path += length + 1;
    }
}

int open_beneath(int directory_fd, const char *path, int flags, bool follow) {
    struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    if (!follow)
        how.resolve |= RESOLVE_NO_SYMLINKS;
    long fd;
    int attempts = 0;
    struct low_fds low;
    low_fds_hold(&low, flags);
    do /* a rename anywhere on the machine can disturb the resolution of ".." (openat2(2)) */
        fd = syscall(SYS_openat2, directory_fd, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++attempts < OPEN_ATTEMPTS)));
    low_fds_release(&low);
    if (fd >= 0)
        return fd_above_stdio((int)fd);
    if (errno == ENOSYS || errno == EPERM)
        return open_by_components(directory_fd, path, flags);
    return -errno;
}
