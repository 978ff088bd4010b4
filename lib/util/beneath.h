/* SPDX-License-Identifier: MIT */
#ifndef UTIL_BENEATH_H
#define UTIL_BENEATH_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * An absolute path without empty components, "." and slashes at its end, as links are not looked
 * at; owned by the caller. NULL without memory.
 */
char *plain_path(const char *path);

/* Whether a plain path is a directory, another plain path, or below it, by their words. */
bool is_worded_beneath(const char *path, const char *directory);

/* Whether it has ".." as a component. */
bool path_climbs(const char *path);

/*
 * Whether a plain path is, by its words, an entry of the kernel's for what a process has open, is
 * made of or is in: a descriptor, or anything in a process's directory of /proc. Such a path leads
 * each process elsewhere, or ceases to with that process. QEMU takes /dev/fdset for descriptors.
 */
bool path_is_of_process(const char *path);

/*
 * Whether what a path leads to is in a directory: links are followed, and what is not there yet
 * will be where its name is. Both are plain paths, and by their words the one is below the other.
 * *mode is the type of what is there, as of stat(2), 0 for nothing.
 *
 * 0 if it is; a negative errno if it is not, or cannot be told: -EXDEV for a link or ".." that
 * leads out, -ELOOP for a link to nothing.
 */
int check_beneath(const char *path, const char *directory, mode_t *mode);

#endif
