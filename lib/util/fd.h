/* SPDX-License-Identifier: MIT */
/* Reading, writing and opening files. All return a negative errno on failure. */
#ifndef UTIL_FD_H
#define UTIL_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* openat(2) with O_CLOEXEC that waits out signals. Returns a descriptor above 2 or a negative
 * errno. */
int open_at(int directory_fd, const char *name, int flags, mode_t mode);

/* A descriptor moved above 2, where nobody takes it for standard input, output or error. fd, which
 * may be -1 with errno set, is closed if that fails. Returns a descriptor or a negative errno. */
int fd_above_stdio(int fd);

/* mkdirat(2) with exactly this mode, whatever the umask is. Returns 0 or a negative errno. */
int make_directory_at(int directory_fd, const char *name, mode_t mode);

int write_all(int fd, const void *bytes, size_t size);

/*
 * Read a descriptor to its end into a new buffer, with a NUL added behind its *size bytes. -EFBIG
 * if there are more than limit bytes.
 */
int read_all(int fd, size_t limit, char **bytes, size_t *size);

/* The same for a file whose size is known already, which saves allocations and a call. */
int read_all_sized(int fd, size_t expected, size_t limit, char **bytes, size_t *size);

/* flock(2) that waits out signals. */
int lock_fd(int fd, int operation);

/* Whether a name still means the inode of a descriptor: 1, 0, or a negative errno if that cannot be
 * told. */
int same_file(int fd, int directory_fd, const char *name);

/* fsync(2) and syncfs(2) that wait out signals. */
int sync_fd(int fd);
int sync_file_system(int fd);

/* fsync a file or directory that is known by its path relative to directory_fd. */
int sync_path(int directory_fd, const char *path);

/* Rename unless the new name is taken: -EEXIST then. Also where the file system has no such call.
 */
int rename_noreplace(int old_fd, const char *old_name, int new_fd, const char *new_name);

#endif
