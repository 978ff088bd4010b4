/* SPDX-License-Identifier: MIT */
/* A directory on disk that is to become a profile: the list of its files. */
#ifndef LIB_SOURCE_H
#define LIB_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#include "store/manifest.h"

struct source_file {
    char *path; /* relative, acceptable to a manifest */
    uint64_t size;
    bool executable;
};

struct source {
    const char *directory; /* for messages */
    int fd;
    struct source_file *files; /* sorted by path */
    size_t count, capacity;
    vqemu_call *call;
    uint64_t total_size;
};

/*
 * Walk the directory. Refused, with the path named: what is neither file nor directory, links that
 * leave the directory or lead to a directory, names that a manifest cannot hold, more files than
 * the call allows.
 */
int source_open(const char *directory, vqemu_call *call, struct source *source,
                vqemu_error **error);
void source_close(struct source *source);

/* Open a file of the source for reading; a link is followed as long as it stays inside. */
int source_open_file(const struct source *source, const char *path, int *fd, vqemu_error **error);

#endif
