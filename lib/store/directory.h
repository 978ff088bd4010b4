/* SPDX-License-Identifier: MIT */
/*
 * A directory of a store that may not be there yet. It is found from what there was when the store
 * was opened, so that it is the same one whatever gets another name above it.
 */
#ifndef LIB_DIRECTORY_H
#define LIB_DIRECTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

struct directory {
    int anchor_fd; /* the nearest one above it that there was */
    char *rest;    /* the way from there */
    atomic_int fd; /* once it was opened; else -1 */
};

#define DIRECTORY_NONE ((struct directory){.anchor_fd = -1, .fd = -1})

/* Find it by its path, relative to base_fd. Returns 0 or a negative errno. */
int directory_find(struct directory *directory, int base_fd, const char *path);
void directory_release(struct directory *directory);

/* Open it, made if it is missing and create is set. Returns a descriptor or a negative errno. */
int directory_open(const struct directory *directory, bool create);

/*
 * The same descriptor each time: *opened is closed by the caller afterwards if it is not -1; *fd is
 * not. Returns 0, with what it is like by now, or a negative errno.
 */
int directory_use(struct directory *directory, bool create, int *fd, int *opened,
                  struct stat *status);

/*
 * The path by which an open directory is reached now: the given one if it still leads there, else
 * the name that the kernel has for it. status: what it is like. Owned by the caller; NULL without
 * memory.
 */
char *directory_path(int fd, const struct stat *status, const char *path);

#endif
