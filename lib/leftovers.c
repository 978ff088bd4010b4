/* SPDX-License-Identifier: MIT */
#include "leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/strbuf.h"

char *leftovers_new_name(void) {
    /* Random, not the process id: processes of several PID namespaces may share a store. */
    uint64_t number = 0;
    while (getrandom(&number, sizeof number, 0) < 0 && errno == EINTR)
        ;
    return format_string(LEFTOVER_PREFIX "%016" PRIx64, number);
}

int leftovers_lock(int fd, int directory_fd, const char *name) {
    int r = lock_fd(fd, LOCK_EX);
    if (r < 0)
        return r;
    return same_file(fd, directory_fd, name) ? 0 : -EAGAIN;
}

int leftovers_make_directory(int directory_fd, const char *name) {
    for (;;) {
        if (mkdirat(directory_fd, name, 0700) < 0)
            return -errno;
        int fd = open_at(directory_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        int r = fd < 0 ? fd : leftovers_lock(fd, directory_fd, name);
        if (r == 0)
            return fd;
        cleanup_close(&fd);
        if (r != -EAGAIN && r != -ENOENT)
            return r;
    }
}

static void sweep_one(int directory_fd, const char *name) {
    _cleanup_close_ int fd = open_at(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd == -ELOOP)
        unlinkat(directory_fd, name, 0); /* a link, which cannot be locked */
    else if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && same_file(fd, directory_fd, name))
        remove_tree(directory_fd, name);
}

void leftovers_sweep(int directory_fd) {
    int fd = open_at(directory_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        cleanup_close(&fd);
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(directory)))
        if (strncmp(entry->d_name, LEFTOVER_PREFIX, strlen(LEFTOVER_PREFIX)) == 0)
            sweep_one(directory_fd, entry->d_name);
    closedir(directory);
}
