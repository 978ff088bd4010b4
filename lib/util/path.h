/* SPDX-License-Identifier: MIT */
#ifndef UTIL_PATH_H
#define UTIL_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The path, made absolute against the working directory, without slashes at its end. Links are not
 * resolved. Owned by the caller; NULL with errno set without memory, or if there is no working
 * directory.
 */
char *make_absolute(const char *path);

/* "directory/name"; owned by the caller, NULL without memory. */
char *join_path(const char *directory, const char *name);

/* mkdir -p with mode 0755, whatever the umask, relative to base_fd. Returns 0 or a negative errno.
 */
int make_directories(int base_fd, const char *path);

/* The part behind the last slash. */
const char *base_name(const char *path);

/*
 * openat() that stays beneath directory_fd: no "..", no absolute path, and no symbolic link; with
 * follow, links are followed as long as they stay beneath, too. Returns a descriptor or a negative
 * errno: -EXDEV for an escape, -ELOOP for a link.
 */
int open_beneath(int directory_fd, const char *path, int flags, bool follow);

/* open() of an absolute path on which no part is a symbolic link. Returns a descriptor or a
 * negative errno: -ELOOP for a link. */
int open_without_links(const char *path, int flags);

/* As many links on the way as Linux follows itself (path_resolution(7)). */
#define PATH_LINKS_MAX 40

/* Cut so many of its bytes off the front of a path. */
void path_drop_front(char *path, size_t length);

#endif
