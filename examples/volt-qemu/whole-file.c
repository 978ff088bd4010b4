/* SPDX-License-Identifier: MIT */
#include "whole-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "open-patiently.h"
#include "text.h"

#define RANDOM_DIGITS 16
#define SUFFIX ".tmp"
#define ATTEMPTS 100

/* Nothing of a name that others may have put a link at. */
static int open_entry(int directory_fd, const char *name, int flags) {
    return open_patiently(directory_fd, name, flags | O_NOCTTY | O_NOFOLLOW);
}

static int sync_file_system(int fd) {
    int r;
    do
        r = syncfs(fd);
    while (r < 0 && errno == EINTR);
    return r;
}

/* Where a file system cannot sync one file, all of it is synced. */
static int sync_patiently(int fd) {
    int r;
    do
        r = fsync(fd);
    while (r < 0 && errno == EINTR);
    return r < 0 && errno == EINVAL ? sync_file_system(fd) : r;
}

static int fail_to_write(const struct whole_file *file, int error_number) {
    return fail_writing(error_number, file->path);
}

/* ---- what others left ---- */

static bool is_staged_name(const struct whole_file *file, const char *entry) {
    size_t length = strlen(file->name);
    if (entry[0] != '.' || strncmp(entry + 1, file->name, length) != 0 || entry[1 + length] != '.')
        return false;
    const char *digits = entry + length + 2;
    return strspn(digits, "0123456789abcdef") == RANDOM_DIGITS &&
           strcmp(digits + RANDOM_DIGITS, SUFFIX) == 0;
}

/* Unless it is locked: then its writer is alive. */
static void remove_if_left(int directory_fd, const char *name) {
    int fd = open_entry(directory_fd, name, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(directory_fd, name, 0);
    close(fd);
}

/* If it cannot be done, it is for the next one. */
static void sweep(const struct whole_file *file) {
    int fd = open_entry(file->directory_fd, ".", O_RDONLY | O_DIRECTORY);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory && fd >= 0)
        close(fd);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (is_staged_name(file, entry->d_name))
            remove_if_left(file->directory_fd, entry->d_name);
    closedir(directory);
}

/* ---- a file ---- */

/* One that sweeps may have had it between its making and its lock. Returns whether it is still
 * there. */
static bool lock(int fd) {
    struct stat status;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno != EWOULDBLOCK; /* where files cannot be locked, nobody sweeps */
    return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

static int make_staged(struct whole_file *file) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t number;
        ssize_t n;
        do
            n = getrandom(&number, sizeof number, 0);
        while (n < 0 && errno == EINTR);
        if (n != sizeof number) /* refused by a filter */
            number = (uint64_t)getpid() << 32 | (uint64_t)attempt;
        free(file->staged);
        file->staged = format_text(".%s.%0*" PRIx64 SUFFIX, file->name, RANDOM_DIGITS, number);
        int fd = open_entry(file->directory_fd, file->staged, O_WRONLY | O_CREAT | O_EXCL);
        if (fd < 0 && errno != EEXIST)
            return fail_to_write(file, errno);
        if (fd >= 0 && lock(fd)) {
            file->fd = fd;
            return 0;
        }
        if (fd >= 0) {
            unlinkat(file->directory_fd, file->staged, 0);
            close(fd);
        }
    }
    return fail_to_write(file, EEXIST);
}

int whole_file_begin(struct whole_file *file, const char *path) {
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *directory =
        slash ? format_text("%.*s", (int)(slash - path + 1), path) : format_text(".");
    *file = (struct whole_file){.path = format_text("%s", path), .fd = -1};
    file->name = format_text("%s", slash ? slash + 1 : path);
    file->directory_fd = open_patiently(AT_FDCWD, directory, O_PATH | O_DIRECTORY);
    if (file->directory_fd < 0)
        return fail_to_write(file, errno);
    sweep(file);
    return make_staged(file);
}

int write_whole(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno != EINTR)
            return -1;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int whole_file_write(const struct whole_file *file, const char *bytes, size_t size) {
    return write_whole(file->fd, bytes, size) < 0 ? fail_to_write(file, errno) : 0;
}

int whole_file_sync(const struct whole_file *file) {
    return sync_patiently(file->fd) < 0 ? fail_to_write(file, errno) : 0;
}

/* So that the name is on the disk, too. Who may not read the directory cannot sync it alone. */
static int sync_name(const struct whole_file *file) {
    int fd = open_entry(file->directory_fd, ".", O_RDONLY | O_DIRECTORY);
    int r = fd < 0 ? -1 : sync_patiently(fd);
    if (fd >= 0)
        close(fd);
    if (r < 0)
        r = sync_file_system(file->fd);
    return r < 0 ? fail_to_write(file, errno) : 0;
}

static int publish(struct whole_file *file) {
    if (renameat(file->directory_fd, file->staged, file->directory_fd, file->name) < 0)
        return fail_to_write(file, errno);
    free(file->staged);
    file->staged = NULL;
    return sync_name(file);
}

int whole_file_end(struct whole_file *file, int status) {
    if (!status)
        status = publish(file);
    if (file->fd >= 0 && file->staged)
        unlinkat(file->directory_fd, file->staged, 0);
    if (file->fd >= 0)
        close(file->fd);
    if (file->directory_fd >= 0)
        close(file->directory_fd);
    free(file->path);
    free(file->name);
    free(file->staged);
    return status;
}
