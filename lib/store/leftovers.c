/* SPDX-License-Identifier: MIT */
#include "store/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/strbuf.h"

/* A filter can refuse random numbers: then names are only likely to be new. */
static uint64_t number_by_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    return time ^ (uint64_t)getpid() << 44 ^ (uint64_t)(uintptr_t)&now; /* other threads: stacks */
}

char *leftovers_new_name(void) {
    /* Random, not the process id: processes of several PID namespaces may share a store. */
    uint64_t number;
    ssize_t n;
    do
        n = getrandom(&number, sizeof number, 0);
    while (n < 0 && errno == EINTR);
    if (n != sizeof number)
        number = number_by_time();
    return format_string(LEFTOVER_PREFIX "%016" PRIx64, number);
}

int leftovers_lock(int fd, int directory_fd, const char *name) {
    /* Not waiting, for there is no end to that if the other process is stopped. */
    int r = lock_fd(fd, LOCK_EX | LOCK_NB);
    if (r == 0)
        r = same_file(fd, directory_fd, name);
    return r < 0 ? r : r == 1 ? 0 : -EAGAIN;
}

int leftovers_make_directory(int directory_fd, char **name) {
    for (;;) {
        free(*name);
        *name = leftovers_new_name();
        int r = *name ? make_directory_at(directory_fd, *name, 0700) : -ENOMEM;
        if (r == -EEXIST)
            continue;
        if (r < 0)
            return r;
        int fd = open_at(directory_fd, *name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        r = fd < 0 ? fd : leftovers_lock(fd, directory_fd, *name);
        if (r == 0)
            return fd;
        cleanup_close(&fd);
        if (r != -EAGAIN && r != -ENOENT)
            return r;
    }
}

int leftovers_make_file(int directory_fd, char **name) {
    for (;;) {
        free(*name);
        *name = leftovers_new_name();
        int fd =
            *name ? create_at(directory_fd, *name, O_RDWR | O_EXCL | O_NOFOLLOW, 0644) : -ENOMEM;
        if (fd == -EEXIST)
            continue;
        int r = fd < 0 ? fd : leftovers_lock(fd, directory_fd, *name);
        if (r == 0)
            return fd;
        if (fd >= 0)
            unlinkat(directory_fd, *name, 0);
        cleanup_close(&fd);
        if (r != -EAGAIN && r != -ENOENT)
            return r;
    }
}

int leftovers_replace_file(int directory_fd, const char *name, const void *bytes, size_t size) {
    _cleanup_free_ char *staged = NULL;
    _cleanup_close_ int fd = leftovers_make_file(directory_fd, &staged);
    int r = fd < 0 ? fd : write_all(fd, bytes, size);
    if (r == 0)
        r = sync_fd(fd);
    if (r == 0 && renameat(directory_fd, staged, directory_fd, name) < 0)
        r = -errno;
    if (r < 0 && fd >= 0)
        unlinkat(directory_fd, staged, 0);
    return r;
}

/*
 * Lock what lies under a name with the prefix, if nobody else has. A link, which cannot be locked,
 * is -ELOOP. Returns a descriptor or a negative errno.
 */
static int lock_leftover(int directory_fd, const char *name) {
    if (strncmp(name, LEFTOVER_PREFIX, strlen(LEFTOVER_PREFIX)) != 0)
        return -EINVAL;
    _cleanup_close_ int fd = open_at(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    int r = fd < 0 ? fd : lock_fd(fd, LOCK_EX | LOCK_NB);
    if (r == 0)
        r = same_file(fd, directory_fd, name);
    return r < 0 ? r : r == 1 ? take_fd(&fd) : -ENOENT;
}

int leftovers_is_one(int directory_fd, const char *name) {
    _cleanup_close_ int fd = lock_leftover(directory_fd, name);
    if (fd >= 0 || fd == -ELOOP)
        return 1;
    return fd == -EINVAL || fd == -ENOENT || fd == -EWOULDBLOCK ? 0 : fd;
}

int leftovers_remove(int directory_fd, const char *name) {
    _cleanup_close_ int fd = lock_leftover(directory_fd, name);
    if (fd < 0 && fd != -ELOOP)
        return fd == -EWOULDBLOCK || fd == -ENOENT ? 0 : fd;
    int r = remove_tree(directory_fd, name);
    return r < 0 ? r : 1;
}

static int sweep_one(int directory_fd, const char *name, void *unused) {
    (void)unused;
    leftovers_remove(directory_fd, name);
    return 0;
}

void leftovers_sweep(int directory_fd) {
    for_each_entry(directory_fd, ".", sweep_one, NULL);
}
