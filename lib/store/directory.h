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

/* Open a directory, and tell whether the last name of its path is a link. Returns a descriptor or a
 * negative errno. */
int directory_open_at(int base_fd, const char *path, bool *is_link);

/* Open it, made if it is missing and create is set, and tell the same. Returns a descriptor or a
 * negative errno. */
int directory_open(const struct directory *directory, bool create, bool *is_link);

/*
 * The path by which an open directory is reached now: the given one, as long as it leads there and
 * no part of it is a link of which others decide where it leads; else the name that the kernel has
 * for the directory. status: what it is like. Returns 1 with the path, owned by the caller, 0 if
 * there is none, or -ENOMEM.
 */
int directory_path(int fd, const struct stat *status, const char *path, char **now);

/*
 * The descriptor that is kept of it, with what it is like by now, and unless now is NULL, its path
 * as above. Returns 1, 0 if none is kept or it was removed, or if a path is wanted and there is
 * none, as when something was mounted over it, or -ENOMEM.
 */
int directory_recall(const struct directory *directory, const char *path, int *fd,
                     struct stat *status, char **now);

/* Keep a descriptor, which is taken, if none is kept yet; else it is the caller's again in *opened,
 * to be closed when it is used no more. Returns the descriptor. */
int directory_keep(struct directory *directory, int *fd, int *opened);

#endif
