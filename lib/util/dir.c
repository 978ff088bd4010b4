/* SPDX-License-Identifier: MIT */
#include "util/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

static int visit_entries(DIR *directory, entry_fn function, void *userdata) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry)
            return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int r = function(dirfd(directory), entry->d_name, userdata);
        if (r != 0)
            return r;
    }
}

int for_each_entry(int directory_fd, const char *path, entry_fn function, void *userdata) {
    _cleanup_close_ int fd = open_at(directory_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return fd < 0 ? fd : -errno;
    take_fd(&fd); /* closed with the directory */
    int r = visit_entries(directory, function, userdata);
    closedir(directory);
    return r;
}

bool is_directory(int directory_fd, const char *name) {
    struct stat status;
    return fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

static int remove_at_depth(int directory_fd, const char *name, unsigned depth);

static int remove_entry(int directory_fd, const char *name, void *depth) {
    return remove_at_depth(directory_fd, name, *(const unsigned *)depth + 1);
}

/* File systems differ in what they say of a directory that is to be unlinked: it is looked at. */
static int remove_at_depth(int directory_fd, const char *name, unsigned depth) {
    if (unlinkat(directory_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    int refused = -errno;
    if (!is_directory(directory_fd, name))
        return refused;
    int r = depth < DIRECTORY_DEPTH_MAX ? for_each_entry(directory_fd, name, remove_entry, &depth)
                                        : -ENAMETOOLONG;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return unlinkat(directory_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int remove_tree(int directory_fd, const char *name) {
    return remove_at_depth(directory_fd, name, 0);
}

/* Where the entries of a directory go. */
struct move {
    int fd;
};

static int move_entry(int directory_fd, const char *name, void *userdata) {
    const struct move *move = userdata;
    if (renameat(directory_fd, name, move->fd, name) == 0)
        return 0;
    int refused = -errno;
    return is_directory(directory_fd, name) ? move_entries(directory_fd, name, move->fd, name)
                                            : refused;
}

int move_entries(int directory_fd, const char *name, int new_fd, const char *new_name) {
    struct stat status;
    if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    int r = make_directory_at(new_fd, new_name, status.st_mode & 0777);
    if (r < 0)
        return r;
    struct move move = {open_at(new_fd, new_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)};
    if (move.fd < 0)
        return move.fd;
    r = for_each_entry(directory_fd, name, move_entry, &move);
    cleanup_close(&move.fd);
    return r == 0 && unlinkat(directory_fd, name, AT_REMOVEDIR) < 0 ? -errno : r;
}

/* File systems that count no links say 0 of every directory, but only one that was removed cannot
 * be read. readdir(3) would take that for its end. */
bool is_removed_directory(int fd) {
    struct stat status;
    char entries[1024];
    if (fstat(fd, &status) < 0)
        return errno == ESTALE || errno == ENOENT;
    if (status.st_nlink > 0)
        return false;
    _cleanup_close_ int readable = open_at(fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (readable < 0)
        return readable == -ESTALE || readable == -ENOENT;
    return getdents64(readable, entries, sizeof entries) < 0 &&
           (errno == ESTALE || errno == ENOENT);
}
