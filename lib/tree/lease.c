/* SPDX-License-Identifier: MIT */
#include "tree/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#include "store/leftovers.h"
#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"

static int open_locked(int trees_fd, const char *name, int operation) {
    for (;;) {
        _cleanup_close_ int fd = open_at(trees_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        int r = fd < 0 ? fd : lock_fd(fd, operation);
        if (r == 0)
            r = same_file(fd, trees_fd, name);
        if (r != 0) /* else it was removed or replaced before it was locked */
            return r < 0 ? r : take_fd(&fd);
    }
}

int lease_take(int trees_fd, const char *name) {
    return open_locked(trees_fd, name, LOCK_SH);
}

int lease_exclude(int trees_fd, const char *name) {
    return open_locked(trees_fd, name, LOCK_EX | LOCK_NB);
}

/* Others that look whether it is leased lock it, too, but only for a moment. */
int lease_is_held(int trees_fd, const char *name) {
    const struct timespec pause = {.tv_nsec = 3000000};
    for (int attempt = 0; attempt < 5; attempt++) {
        _cleanup_close_ int fd = lease_exclude(trees_fd, name);
        if (fd != -EWOULDBLOCK)
            return fd >= 0 || fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
        nanosleep(&pause, NULL);
    }
    return 1;
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
    if (renameat(trees_fd, name, trees_fd, trash) < 0)
        return -errno;
    int r = remove_tree(trees_fd, trash);
    return r < 0 ? r : 1;
}
