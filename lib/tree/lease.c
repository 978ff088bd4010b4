/* SPDX-License-Identifier: MIT */
#include "tree/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#include "base/error.h"
#include "store/leftovers.h"
#include "store/manifest.h"
#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

static int open_tree(int trees_fd, const char *name) {
    return open_at(trees_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

static bool is_no_tree(int r) {
    return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

int lease_take(int trees_fd, const char *trees_path, const char *name,
               struct vqemu_progress *progress, int *lease_fd, struct stat *status,
               vqemu_error **error) {
    _cleanup_free_ char *path = join_path(trees_path, name);
    if (!path)
        return error_no_memory(error);
    for (;;) {
        _cleanup_close_ int fd = open_tree(trees_fd, name);
        if (is_no_tree(fd))
            return 0;
        if (fd < 0)
            return error_system_at(error, -fd, "cannot lease the tree", "%s", path);
        int r = progress_lock(progress, fd, LOCK_SH, 0, path, error);
        if (r < 0)
            return r;
        r = same_file_status(fd, trees_fd, name, status);
        if (r < 0)
            return error_system_at(error, -r, "cannot lease the tree", "%s", path);
        if (r == 1) { /* else it was removed or replaced before it was locked */
            *lease_fd = take_fd(&fd);
            return 1;
        }
    }
}

int lease_exclude(int trees_fd, const char *name) {
    for (;;) {
        _cleanup_close_ int fd = open_tree(trees_fd, name);
        int r = fd < 0 ? fd : lock_fd(fd, LOCK_EX | LOCK_NB);
        if (r == 0)
            r = same_file(fd, trees_fd, name);
        if (r != 0)
            return r < 0 ? r : take_fd(&fd);
    }
}

/* Others that look whether it is leased lock it, too, but only for a moment. */
int lease_is_held(int trees_fd, const char *name) {
    const struct timespec pause = {.tv_nsec = 3000000};
    for (int attempt = 0; attempt < 5; attempt++) {
        _cleanup_close_ int fd = lease_exclude(trees_fd, name);
        if (fd != -EWOULDBLOCK)
            return fd >= 0 || is_no_tree(fd) ? 0 : fd;
        nanosleep(&pause, NULL);
    }
    return 1;
}

/* The stamp goes first: what is left if this is interrupted is taken for no tree. */
int lease_clear_tree(int trees_fd, const char *name) {
    _cleanup_free_ char *stamp = format_string("%s/" TREE_STAMP_NAME, name);
    if (!stamp)
        return -ENOMEM;
    if (is_directory(trees_fd, name) && unlinkat(trees_fd, stamp, 0) < 0 && errno != ENOENT)
        return -errno;
    return remove_tree(trees_fd, name);
}

int lease_remove_tree(int trees_fd, const char *name) {
    _cleanup_free_ char *trash = leftovers_new_name();
    _cleanup_close_ int fd = lease_exclude(trees_fd, name);
    if (!trash)
        return -ENOMEM;
    if (fd == -EWOULDBLOCK || fd == -ENOENT)
        return 0;
    if (fd < 0 && fd != -ENOTDIR && fd != -ELOOP)
        return fd;
    int r = renameat(trees_fd, name, trees_fd, trash) < 0 ? lease_clear_tree(trees_fd, name)
                                                          : remove_tree(trees_fd, trash);
    return r < 0 ? r : 1;
}
