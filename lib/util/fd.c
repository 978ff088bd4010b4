/* SPDX-License-Identifier: MIT */
#include "util/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"

/* So often in all is a call made again that signals interrupt: a file system, or a filter, may
 * say nothing else. */
#define INTERRUPTIONS_MAX 10000

static bool is_interrupted(unsigned *count) {
    return errno == EINTR && ++*count < INTERRUPTIONS_MAX;
}

int fd_above_stdio(int fd) {
    if (fd < 0)
        return -errno;
    if (fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), saved = errno;
    close(fd);
    return moved < 0 ? -saved : moved;
}

void low_fds_release(const struct low_fds *low) {
    int saved = errno;
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (low->held[fd])
            close(fd);
    errno = saved;
}

/* Whether a number is taken for good: not only by another thread that holds it. */
static bool is_taken(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && !(flags & O_PATH);
}

static bool all_are_taken(const struct low_fds *low) {
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (!low->held[fd] && !is_taken(fd))
            return false;
    return true;
}

static void hold_free(struct low_fds *low) {
    for (;;) {
        int fd = open("/", O_PATH | O_CLOEXEC);
        if (fd < 0)
            return;
        if (fd > STDERR_FILENO) {
            close(fd);
            return;
        }
        low->held[fd] = true;
    }
}

/*
 * Of two threads that each hold one, both let go and try again. There is an end to it, for a
 * program can have descriptors with O_PATH of its own there.
 */
void low_fds_hold(struct low_fds *low, int open_flags) {
    struct timespec pause = {0};
    *low = (struct low_fds){0};
    if ((open_flags & O_ACCMODE) == O_RDONLY || open_flags & O_PATH)
        return;
    for (int attempt = 0; !all_are_taken(low) && attempt < 200; attempt++) {
        hold_free(low);
        if (all_are_taken(low))
            return;
        low_fds_release(low);
        *low = (struct low_fds){0};
        pause.tv_nsec = (pause.tv_nsec * 5 + (long)((uintptr_t)&pause >> 4) % 997 + 1) % 200000;
        nanosleep(&pause, NULL);
    }
}

/* By way of /proc: a directory without rights cannot be opened for reading, and by its name it
 * could be another one meanwhile. */
static int set_directory_mode(int fd, mode_t mode) {
    struct stat status;
    char path[sizeof "/proc/self/fd/" + 12];
    if (fstat(fd, &status) < 0)
        return -errno;
    if ((status.st_mode & 0777) == mode || !S_ISDIR(status.st_mode))
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    mode |= status.st_mode & S_ISGID;
    if (chmod(path, mode) == 0)
        return 0;
    if (errno != ENOENT)
        return -errno;
    _cleanup_close_ int readable = open_at(fd, ".", O_RDONLY | O_DIRECTORY, 0); /* no /proc */
    return readable < 0 ? readable : fchmod(readable, mode) < 0 ? -errno : 0;
}

int make_directory_at(int directory_fd, const char *name, mode_t mode) {
    if (mkdirat(directory_fd, name, mode) < 0)
        return -errno;
    _cleanup_close_ int fd = open_at(directory_fd, name, O_PATH | O_NOFOLLOW, 0);
    /* One that is gone was removed by somebody already, such as who clears leftovers away. */
    return fd == -ENOENT ? 0 : fd < 0 ? fd : set_directory_mode(fd, mode);
}

int duplicate_fd(int fd) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return copy < 0 ? -errno : copy;
}

int open_at(int directory_fd, const char *name, int flags, mode_t mode) {
    struct low_fds low;
    unsigned count = 0;
    int fd;
    low_fds_hold(&low, flags);
    do
        fd = openat(directory_fd, name, flags | O_CLOEXEC, mode);
    while (fd < 0 && is_interrupted(&count));
    low_fds_release(&low);
    return fd_above_stdio(fd);
}

int make_memory_file(const char *title) {
    struct low_fds low;
    low_fds_hold(&low, O_RDWR);
    int fd = memfd_create(title, MFD_CLOEXEC);
    low_fds_release(&low);
    return fd_above_stdio(fd);
}

int create_at(int directory_fd, const char *name, int flags, mode_t mode) {
    struct stat status;
    int fd = open_at(directory_fd, name, flags | O_CREAT, mode);
    if (fd < 0)
        return fd;
    /* Another user's, that was there already, cannot be changed and need not be. */
    if (fstat(fd, &status) == 0 && (status.st_mode & 0777) != mode && fchmod(fd, mode) < 0 &&
        errno != EPERM) {
        int r = -errno;
        close(fd);
        return r;
    }
    return fd;
}

int write_all(int fd, const void *bytes, size_t size) {
    const char *next = bytes;
    unsigned count = 0;
    while (size > 0) {
        ssize_t n = write(fd, next, size);
        if (n < 0 && is_interrupted(&count))
            continue;
        if (n < 0)
            return -errno;
        next += n;
        size -= (size_t)n;
    }
    return 0;
}

/*
 * A signal that was pending before, and whatever others send to the process, stays; what this write
 * raises comes to this thread, and is taken back before anybody sees it.
 */
static int write_pipe(int fd, const void *bytes, size_t size) {
    const struct timespec now = {0};
    sigset_t sigpipe, before, pending;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    int r = -pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
    if (r < 0)
        return r;
    bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    r = write_all(fd, bytes, size);
    while (r == -EPIPE && !was_pending && sigtimedwait(&sigpipe, NULL, &now) < 0 && errno == EINTR)
        ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

ssize_t read_some(int fd, void *bytes, size_t size) {
    unsigned count = 0;
    ssize_t n;
    do
        n = read(fd, bytes, size);
    while (n < 0 && is_interrupted(&count));
    return n < 0 ? -errno : n;
}

ssize_t read_some_at(int fd, void *bytes, size_t size, off_t offset) {
    unsigned count = 0;
    ssize_t n;
    do
        n = pread(fd, bytes, size, offset);
    while (n < 0 && is_interrupted(&count));
    return n < 0 ? -errno : n;
}

ssize_t write_stream(int fd, const void *bytes, size_t size) {
    ssize_t n;
    do
        n = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    if (errno != ENOTSOCK)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
    int r = write_pipe(fd, bytes, size);
    return r < 0 ? r : (ssize_t)size;
}

/* Grow a buffer to hold one byte more than limit at the most: enough to see that there is too much.
 */
static int grow(char **buffer, size_t *capacity, size_t limit) {
    size_t larger = *capacity ? 2 * *capacity : 16384;
    if (larger > limit + 2)
        larger = limit + 2;
    char *moved = realloc(*buffer, larger);
    if (!moved)
        return -ENOMEM;
    *buffer = moved;
    *capacity = larger;
    return 0;
}

static int read_waiting(int fd, size_t expected, size_t limit, wait_fn wait, void *userdata,
                        char **bytes, size_t *size) {
    _cleanup_free_ char *buffer = NULL;
    size_t capacity = 0, length = 0;
    unsigned count = 0;
    *bytes = NULL;
    if (expected > 0 && expected <= limit) {
        capacity = expected + 2; /* one more than expected shows that the file has grown */
        buffer = malloc(capacity);
        if (!buffer)
            return -ENOMEM;
    }
    for (;;) {
        if (length > limit)
            return -EFBIG;
        if (capacity < length + 2) {
            int r = grow(&buffer, &capacity, limit);
            if (r < 0)
                return r;
        }
        int waited = wait ? wait(fd, userdata) : 0;
        if (waited < 0)
            return waited;
        ssize_t n = read(fd, buffer + length, capacity - length - 1);
        if (n < 0 && is_interrupted(&count))
            continue;
        if (n < 0)
            return -errno;
        length += (size_t)n;
        /* A file that has given as much as it has, when one byte more was asked for, is at its end.
         */
        if (n == 0 || (expected > 0 && length == expected && capacity > expected + 1))
            break;
    }
    buffer[length] = '\0';
    *size = length;
    *bytes = TAKE_POINTER(buffer);
    return 0;
}

int read_all_sized(int fd, size_t expected, size_t limit, char **bytes, size_t *size) {
    return read_waiting(fd, expected, limit, NULL, NULL, bytes, size);
}

int read_all(int fd, size_t limit, char **bytes, size_t *size) {
    return read_all_sized(fd, 0, limit, bytes, size);
}

int read_all_patiently(int fd, size_t limit, wait_fn wait, void *userdata, char **bytes,
                       size_t *size) {
    return read_waiting(fd, 0, limit, wait, userdata, bytes, size);
}

int lock_fd(int fd, int operation) {
    unsigned count = 0;
    while (flock(fd, operation) < 0)
        if (!is_interrupted(&count))
            return -errno;
    return 0;
}

int same_file_status(int fd, int directory_fd, const char *name, struct stat *status) {
    struct stat named;
    if (fstat(fd, status) < 0)
        return -errno;
    if (fstatat(directory_fd, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    return status->st_dev == named.st_dev && status->st_ino == named.st_ino;
}

int same_file(int fd, int directory_fd, const char *name) {
    struct stat status;
    return same_file_status(fd, directory_fd, name, &status);
}

int exists_at(int directory_fd, const char *name) {
    struct stat status;
    if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

int sync_file_system(int fd) {
    unsigned count = 0;
    while (syncfs(fd) < 0)
        if (!is_interrupted(&count))
            return -errno;
    return 0;
}

/* Not every file system has it for directories (EINVAL): all of it is synced there. */
int sync_fd(int fd) {
    unsigned count = 0;
    while (fsync(fd) < 0) {
        if (errno == EINVAL || errno == EOPNOTSUPP)
            return sync_file_system(fd);
        if (!is_interrupted(&count))
            return -errno;
    }
    return 0;
}

int sync_path(int directory_fd, const char *path) {
    _cleanup_close_ int fd = open_at(directory_fd, path, O_RDONLY | O_NONBLOCK, 0);
    return fd < 0 ? fd : sync_fd(fd);
}

/* File systems differ in what they say of what they cannot do, so each way is tried in turn. */
int rename_noreplace(int old_fd, const char *old_name, int new_fd, const char *new_name) {
    if (renameat2(old_fd, old_name, new_fd, new_name, RENAME_NOREPLACE) == 0)
        return 0;
    /* Without RENAME_NOREPLACE: a link has the same promise, for files. */
    if (errno != EEXIST && linkat(old_fd, old_name, new_fd, new_name, 0) == 0)
        return unlinkat(old_fd, old_name, 0) < 0 ? -errno : 0;
    if (errno == EEXIST)
        return -EEXIST;
    /* Without links, there is only a look. */
    int r = exists_at(new_fd, new_name);
    if (r != 0)
        return r < 0 ? r : -EEXIST;
    return renameat(old_fd, old_name, new_fd, new_name) < 0 ? -errno : 0;
}
