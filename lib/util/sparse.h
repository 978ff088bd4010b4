/* SPDX-License-Identifier: MIT */
/* Files with holes: what is all zeros is neither read from a disk nor takes room on one. */
#ifndef UTIL_SPARSE_H
#define UTIL_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Holes are of this size or more, so that no file is in too many pieces. */
#define HOLE_SIZE ((size_t)64 * 1024)

/* The room that a file takes on disk, in bytes. */
uint64_t disk_space(const struct stat *status);

/* Reading a file from its beginning, or a part of it. */
struct sparse_reader {
    int fd;
    off_t at, data_end, hole_end;
    off_t end;     /* of a part; 0 for that of the file */
    bool is_dense; /* there are no holes, or they cannot be told */
};

struct sparse_reader sparse_reader_of(int fd, const struct stat *status);

/* The same for a part of a file, which is not empty; holes are read like all else. */
struct sparse_reader sparse_reader_of_part(int fd, off_t offset, off_t size);

/* The next bytes, zeros for holes. Returns how many, 0 at the end, or a negative errno. */
ssize_t read_sparsely(struct sparse_reader *reader, void *bytes, size_t size);

/*
 * Write at the offset of a file that is new; zeros become holes. Returns 0, 1 if there is a hole at
 * the end now, which ftruncate(2) has to make, or a negative errno.
 */
int write_sparsely(int fd, const void *bytes, size_t size);

/* Give a file a size; waits out signals. Returns 0 or a negative errno. */
int set_file_size(int fd, off_t size);

#endif
