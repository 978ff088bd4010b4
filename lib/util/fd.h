/* SPDX-License-Identifier: MIT */
/* Reading, writing and opening files. All return a negative errno on failure. */
#ifndef UTIL_FD_H
#define UTIL_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * What every new descriptor goes through. One of 0, 1 and 2, which are free in a program that
 * closed them, is moved away: others take these for standard input, output and error, and write to
 * them. Takes what a system call returned; returns a descriptor or a negative errno.
 */
int fd_above_stdio(int fd);

/*
 * A file that is open for writing must not have such a number for a moment: what another thread
 * writes to its standard error meanwhile would go into it. While one is opened, with these flags,
 * those that are free are held by descriptors that nobody can write to. The release keeps errno.
 */
struct low_fds {
    bool held[3];
};
void low_fds_hold(struct low_fds *low, int open_flags);
void low_fds_release(const struct low_fds *low);

/* dup(2) likewise. */
int duplicate_fd(int fd);

/* openat(2) with O_CLOEXEC that waits out signals. Returns a descriptor or a negative errno. */
int open_at(int directory_fd, const char *name, int flags, mode_t mode);

/* open_at() with O_CREAT, but the umask has no say. */
int create_at(int directory_fd, const char *name, int flags, mode_t mode);

/* A file without a name, in memory. Returns a descriptor or a negative errno. */
int make_memory_file(const char *title);

/* mkdirat(2) with exactly this mode, whatever the umask is. Returns 0 or a negative errno. */
int make_directory_at(int directory_fd, const char *name, mode_t mode);

int write_all(int fd, const void *bytes, size_t size);

/*
 * Write to a pipe or socket that poll(2) has found ready: nobody gets SIGPIPE if there is no reader
 * any more, but -EPIPE comes back. Of a socket, what it can take now. Returns how much was written.
 */
ssize_t write_stream(int fd, const void *bytes, size_t size);

/* read(2) and pread(2) that wait out signals: how much, or a negative errno. */
ssize_t read_some(int fd, void *bytes, size_t size);
ssize_t read_some_at(int fd, void *bytes, size_t size, off_t offset);

/*
 * Read a descriptor to its end into a new buffer, with a NUL added behind its *size bytes. -EFBIG
 * if there are more than limit bytes.
 */
int read_all(int fd, size_t limit, char **bytes, size_t *size);

/* The same for a pipe, whose writer may be slow: wait returns 0 when there is something to read, or
 * what the reading is to end with. */
typedef int (*wait_fn)(int fd, void *userdata);
int read_all_patiently(int fd, size_t limit, wait_fn wait, void *userdata, char **bytes,
                       size_t *size);

/* The same for a file whose size is known already, which saves allocations and a call. */
int read_all_sized(int fd, size_t expected, size_t limit, char **bytes, size_t *size);

/* flock(2) that waits out signals. */
int lock_fd(int fd, int operation);

/* Whether a name still means the inode of a descriptor: 1, 0, or a negative errno if that cannot be
 * told. */
int same_file(int fd, int directory_fd, const char *name);

/* The same, and what the inode of the descriptor is like. */
int same_file_status(int fd, int directory_fd, const char *name, struct stat *status);

/* Whether there is something of a name, be it a link: 1, 0, or a negative errno if that cannot be
 * told. */
int exists_at(int directory_fd, const char *name);

/* fsync(2) and syncfs(2) that wait out signals. */
int sync_fd(int fd);
int sync_file_system(int fd);

/* fsync a file or directory that is known by its path relative to directory_fd. */
int sync_path(int directory_fd, const char *path);

/*
 * Rename a file unless the new name is taken: -EEXIST then. Where the file system has neither such
 * a call nor links, somebody else can take the name in between, and is replaced: the caller has a
 * lock, or a name that stands for the content.
 */
int rename_noreplace(int old_fd, const char *old_name, int new_fd, const char *new_name);

#endif
