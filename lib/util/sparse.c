/* SPDX-License-Identifier: MIT */
#include "util/sparse.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"

#define BLOCK_UNIT 512 /* of st_blocks (inode(7)) */

uint64_t disk_space(const struct stat *status) {
    return (uint64_t)status->st_blocks * BLOCK_UNIT;
}

struct sparse_reader sparse_reader_of(int fd, const struct stat *status) {
    return (struct sparse_reader){
        .fd = fd,
        .is_dense = !S_ISREG(status->st_mode) || (off_t)disk_space(status) >= status->st_size,
    };
}

struct sparse_reader sparse_reader_of_part(int fd, off_t offset, off_t size) {
    return (struct sparse_reader){.fd = fd, .at = offset, .end = offset + size, .is_dense = true};
}

/* What comes next: data up to data_end, or a hole up to hole_end. */
static void find_next(struct sparse_reader *reader) {
    struct stat status;
    off_t data = lseek(reader->fd, reader->at, SEEK_DATA);
    reader->hole_end = reader->at;
    if (data < 0 && errno == ENXIO && fstat(reader->fd, &status) == 0) {
        reader->hole_end = status.st_size;
        return;
    }
    off_t end = data < 0 ? -1 : lseek(reader->fd, data, SEEK_HOLE);
    reader->is_dense = end < 0;
    if (end < 0)
        return;
    reader->hole_end = data;
    reader->data_end = end;
}

static size_t up_to(const struct sparse_reader *reader, off_t end, size_t size) {
    off_t left = end - reader->at;
    return (off_t)size < left ? size : (size_t)left;
}

static ssize_t read_data(struct sparse_reader *reader, void *bytes, size_t size) {
    if (reader->end > 0)
        size = up_to(reader, reader->end, size);
    ssize_t n = read_some_at(reader->fd, bytes, size, reader->at);
    if (n > 0)
        reader->at += n;
    return n;
}

ssize_t read_sparsely(struct sparse_reader *reader, void *bytes, size_t size) {
    if (!reader->is_dense && reader->at >= reader->data_end && reader->at >= reader->hole_end)
        find_next(reader);
    if (reader->is_dense)
        return read_data(reader, bytes, size);
    if (reader->at < reader->hole_end) {
        size = up_to(reader, reader->hole_end, size);
        memset(bytes, 0, size);
        reader->at += (off_t)size;
        return (ssize_t)size;
    }
    return reader->at < reader->data_end
               ? read_data(reader, bytes, up_to(reader, reader->data_end, size))
               : 0;
}

/* ---- writing ---- */

static bool is_hole(const unsigned char *bytes, size_t size) {
    return size >= HOLE_SIZE && bytes[0] == 0 && memcmp(bytes, bytes + 1, HOLE_SIZE - 1) == 0;
}

/* How many bytes there are before the next hole. */
static size_t data_before_hole(const unsigned char *bytes, size_t size) {
    size_t at = 0;
    while (at < size && !is_hole(bytes + at, size - at))
        at += size - at < HOLE_SIZE ? size - at : HOLE_SIZE;
    return at;
}

int write_sparsely(int fd, const void *bytes, size_t size) {
    const unsigned char *next = bytes;
    bool ends_in_hole = false;
    while (size > 0) {
        size_t data = data_before_hole(next, size);
        ends_in_hole = data == 0;
        int r = ends_in_hole ? (lseek(fd, (off_t)HOLE_SIZE, SEEK_CUR) < 0 ? -errno : 0)
                             : write_all(fd, next, data);
        if (r < 0)
            return r;
        size_t done = ends_in_hole ? HOLE_SIZE : data;
        next += done;
        size -= done;
    }
    return ends_in_hole;
}

int set_file_size(int fd, off_t size) {
    while (ftruncate(fd, size) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}
