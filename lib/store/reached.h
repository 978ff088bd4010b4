/* SPDX-License-Identifier: MIT */
/* The directories of trees and of links while they are used: reached, and looked at. */
#ifndef LIB_REACHED_H
#define LIB_REACHED_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/store.h"

struct reached {
    int fd;     /* the same each time as long as a path leads to it; else a negative errno, as of a
                 * directory that is not there */
    int opened; /* closed with it; -1 if the store keeps it */
    struct stat status;
    char *path; /* that leads to it now; NULL of links */
};

#define REACHED_NONE ((struct reached){.fd = -1, .opened = -1})

/*
 * The directory of trees; made if it is missing and create is set. Unless the store was opened for
 * that, one that others could put programs into is refused, each time, and whenever it is opened
 * one that lies where others could put theirs in its place.
 */
int reach_trees(vqemu_store *store, bool create, struct reached *reached, vqemu_error **error);
/* The same for the directory of links, if the store has one. */
int reach_links(vqemu_store *store, bool create, struct reached *reached, vqemu_error **error);
void reached_release(struct reached *reached);

#define _cleanup_reached_ _cleanup_(reached_release)

/* The path of the directory of trees by now, or as it was given; NULL without memory. */
char *reach_trees_path(const vqemu_store *store);

/* Descriptors of the caller's own, -ENOENT in *fd if there is none. */
int store_find_trees(const vqemu_store *store, int *fd, vqemu_error **error);
int store_find_links(const vqemu_store *store);

#endif
