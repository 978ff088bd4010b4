/* SPDX-License-Identifier: MIT */
#include "store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "store/guard.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/sparse.h"

#define COPY_SIZE ((size_t)256 * 1024)
/* So much at once is copied by the kernel, and cannot be given up meanwhile. */
#define COPY_RANGE_SIZE ((size_t)64 * 1024 * 1024)

int object_finish_file(int fd, bool executable) {
    const struct timespec times[2] = {{.tv_sec = OBJECT_MTIME}, {.tv_sec = OBJECT_MTIME}};
    if (fchmod(fd, executable ? 0555 : 0444) < 0 || futimens(fd, times) < 0)
        return -errno;
    return 0;
}

int object_finish_and_stat(int fd, bool executable, struct stat *status) {
    const struct timespec times[2] = {{.tv_sec = OBJECT_MTIME}, {.tv_sec = OBJECT_MTIME}};
    mode_t mode = executable ? 0555 : 0444;
    if (futimens(fd, times) < 0 || fstat(fd, status) < 0)
        return -errno;
    if ((status->st_mode & 07777) == mode)
        return 0;
    return fchmod(fd, mode) < 0 ? -errno : 0;
}

bool object_mode_fits(const struct stat *status, bool executable) {
    mode_t wanted = executable ? 0555 : 0444;
    mode_t class_bits = status->st_mode & 07577; /* all but the owner's write bit */
    return class_bits == wanted;
}

bool object_is_own(const struct stat *status) {
    return S_ISREG(status->st_mode) && status->st_mtim.tv_sec == OBJECT_MTIME &&
           status->st_mtim.tv_nsec == 0;
}

void object_mark_damaged(int fd) {
    struct stat status;
    if (fstat(fd, &status) == 0 && object_is_own(&status))
        futimens(fd, NULL);
}

int object_open(int directory_fd, const char *name, int *fd, struct stat *status) {
    _cleanup_close_ int opened =
        open_at(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (opened < 0)
        return opened;
    if (fstat(opened, status) < 0)
        return -errno;
    if (!S_ISREG(status->st_mode))
        return -ELOOP;
    *fd = take_fd(&opened);
    return 0;
}

int object_is_intact(int directory_fd, const struct digest *digest, const struct watch *watch) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    int r = object_open(directory_fd, digest->hex, &fd, &status);
    if (r == -ELOOP || r == -ENOENT || r == -ENXIO)
        return 0;
    if (r < 0)
        return r;
    struct digest actual;
    uint64_t size;
    r = digest_of_fd(fd, watch, &actual, &size);
    if (r < 0)
        return r;
    if (digest_equal(&actual, digest))
        return 1;
    object_mark_damaged(fd); /* trees may be linked to it */
    return 0;
}

/* Intact, and for nobody else to change. */
static int object_is_good(int directory_fd, uint32_t store_flags, const struct digest *digest,
                          const struct watch *watch) {
    struct stat status;
    if (fstatat(directory_fd, digest->hex, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        !guard_trusts_owner(store_flags, &status))
        return 0;
    return object_is_intact(directory_fd, digest, watch);
}

int object_publish(int stage_fd, const char *staged, const vqemu_store *store,
                   const struct digest *digest, const struct watch *watch) {
    int directory_fd = store->objects_fd;
    int r = rename_noreplace(stage_fd, staged, directory_fd, digest->hex);
    if (r != -EEXIST)
        return r;
    int intact = object_is_good(directory_fd, store->flags, digest, watch);
    if (intact == 1)
        return unlinkat(stage_fd, staged, 0) < 0 ? -errno : OBJECT_WAS_THERE;
    if (intact < 0 && intact != -EIO && intact != -EACCES)
        return intact;
    if (renameat(stage_fd, staged, directory_fd, digest->hex) == 0)
        return OBJECT_REPLACED;
    int refused = -errno;
    if (!is_directory(directory_fd, digest->hex))
        return refused;
    /* A directory has no business there. */
    r = remove_tree(directory_fd, digest->hex);
    if (r == 0 && renameat(stage_fd, staged, directory_fd, digest->hex) < 0)
        r = -errno;
    return r < 0 ? r : OBJECT_REPLACED;
}

static int copy_by_hand(int from, int to, const struct stat *status, const struct watch *watch) {
    _cleanup_free_ char *buffer = malloc(COPY_SIZE);
    if (!buffer)
        return -ENOMEM;
    struct sparse_reader reader = sparse_reader_of(from, status);
    for (;;) {
        ssize_t n = read_sparsely(&reader, buffer, COPY_SIZE);
        if (n <= 0)
            return n < 0 ? (int)n : set_file_size(to, reader.at);
        int r = write_sparsely(to, buffer, (size_t)n);
        if (r >= 0)
            r = watch_poll(watch);
        if (r < 0)
            return r;
    }
}

/* The next data from an offset on; where holes cannot be told, all is data. */
static off_t find_data(int from, off_t offset, off_t size, off_t *end) {
    off_t data = lseek(from, offset, SEEK_DATA);
    *end = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
    if (data < 0 && errno == ENXIO)
        return size;
    if (*end < 0)
        *end = size;
    return data < 0 ? offset : data;
}

/* Returns 0, 1 if it has to be done by hand, or a negative errno. */
static int copy_ranges(int from, int to, off_t size, const struct watch *watch) {
    off_t offset = 0, end = 0;
    for (;;) {
        if (watch_poll(watch) < 0)
            return -ECANCELED;
        if (offset >= end)
            offset = find_data(from, offset, size, &end);
        if (offset >= size)
            return set_file_size(to, size);
        off_t target = offset;
        size_t share =
            end - offset < (off_t)COPY_RANGE_SIZE ? (size_t)(end - offset) : COPY_RANGE_SIZE;
        ssize_t n = copy_file_range(from, &offset, to, &target, share, 0);
        if (n < 0 && errno == EINTR)
            continue;
        /* Whatever it says: it may be missing, refused, or unable to serve these two files, and
         * some file systems answer 0 for files that they make up as they are read. Reading and
         * writing tells what is really wrong. */
        if (n <= 0)
            return 1;
    }
}

int object_copy_content(int from, int to, const struct watch *watch, enum object_copy *how) {
    struct stat status;
    *how = OBJECT_REFLINK;
    if (ioctl(to, FICLONE, from) == 0)
        return 0;
    if (fstat(from, &status) < 0)
        return -errno;
    *how = OBJECT_COPY_FILE_RANGE;
    int r = status.st_size > 0 ? copy_ranges(from, to, status.st_size, watch) : 1;
    if (r != 1)
        return r;
    *how = OBJECT_COPY;
    r = set_file_size(to, 0);
    if (r < 0 || lseek(to, 0, SEEK_SET) < 0)
        return r < 0 ? r : -errno;
    return copy_by_hand(from, to, &status, watch);
}
