/* SPDX-License-Identifier: MIT */
/*
 * Each file has a header of ustar, its name as it is; what does not fit into that, an extended
 * header (pax) before it.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "transfer/tar-archive.h"
#include "transfer/tar-header.h"
#include "transfer/tar-pax.h"
#include "transfer/wait-fd.h"
#include "util/fd.h"

#define BUFFER_SIZE ((size_t)64 * 1024)
/* Once poll(2) says so, a pipe takes this much without blocking (pipe(7)). */
#define PIPE_SHARE ((size_t)4096)
/* Programs read this much at once (tar(5)). */
#define RECORD_SIZE ((uint64_t)20 * TAR_BLOCK_SIZE)

struct archive_writer {
    int fd;
    const char *name;
    struct vqemu_progress *progress;
    bool can_block; /* a pipe, whose reader may be slow */
    uint64_t total;
    size_t filled;
    unsigned char buffer[BUFFER_SIZE];
};

int archive_create(int fd, const char *name, struct vqemu_progress *progress,
                   struct archive_writer **writer, vqemu_error **error) {
    struct stat status;
    *writer = malloc(sizeof **writer);
    if (!*writer)
        return error_no_memory(error);
    **writer = (struct archive_writer){.fd = fd, .name = name, .progress = progress};
    (*writer)->can_block = fstat(fd, &status) < 0 || !S_ISREG(status.st_mode);
    return 0;
}

void archive_abandon(struct archive_writer *writer) {
    free(writer);
}

/* ---- bytes ---- */

static int writing_failed(const struct archive_writer *writer, int system_errno,
                          vqemu_error **error) {
    return error_system(error, system_errno, "cannot write the archive %s", writer->name);
}

static int write_patiently(struct archive_writer *writer, const unsigned char *bytes, size_t size,
                           vqemu_error **error) {
    while (size > 0) {
        vqemu_error *given_up = NULL;
        if (!wait_fd(writer->fd, POLLOUT, writer->progress, &given_up)) {
            int code = vqemu_error_code(given_up);
            if (error)
                *error = given_up;
            else
                vqemu_error_free(given_up);
            return code;
        }
        ssize_t n = write_stream(writer->fd, bytes, size < PIPE_SHARE ? size : PIPE_SHARE);
        if (n < 0)
            return writing_failed(writer, (int)-n, error);
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

static int flush(struct archive_writer *writer, vqemu_error **error) {
    size_t size = writer->filled;
    writer->filled = 0;
    if (writer->can_block)
        return write_patiently(writer, writer->buffer, size, error);
    int r = write_all(writer->fd, writer->buffer, size);
    return r < 0 ? writing_failed(writer, -r, error) : 0;
}

/* bytes: NULL for zeros. */
static int put(struct archive_writer *writer, const void *bytes, uint64_t size,
               vqemu_error **error) {
    const unsigned char *next = bytes;
    writer->total += size;
    while (size > 0) {
        size_t n = BUFFER_SIZE - writer->filled;
        n = size < n ? (size_t)size : n;
        if (next)
            memcpy(writer->buffer + writer->filled, next, n);
        else
            memset(writer->buffer + writer->filled, 0, n);
        writer->filled += n;
        next = next ? next + n : NULL;
        size -= n;
        int r = writer->filled == BUFFER_SIZE ? flush(writer, error) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int pad(struct archive_writer *writer, uint64_t size, vqemu_error **error) {
    return put(writer, NULL, (size - writer->total % size) % size, error);
}

/* ---- files ---- */

/* What does not fit into the header of a file. */
static int put_extended(struct archive_writer *writer, const char *path, uint64_t size,
                        int64_t time, vqemu_error **error) {
    char number[24];
    struct strbuf text = {0};
    struct tar_header header;
    snprintf(number, sizeof number, "%llu", (unsigned long long)size);
    tar_pax_add(&text, "path", path);
    tar_pax_add(&text, "size", number);
    size_t length = text.length;
    _cleanup_free_ char *records = strbuf_take(&text);
    if (!records)
        return error_no_memory(error);
    tar_header_make(&header, 'x', "././@PaxHeader", length, 0644, time);
    int r = put(writer, &header, sizeof header, error);
    if (r == 0)
        r = put(writer, records, length, error);
    return r == 0 ? pad(writer, TAR_BLOCK_SIZE, error) : r;
}

int archive_add_file(struct archive_writer *writer, const char *path, uint64_t size,
                     bool executable, int64_t time, vqemu_error **error) {
    struct tar_header header;
    int r = pad(writer, TAR_BLOCK_SIZE, error); /* of the file before */
    bool fits = tar_header_make(&header, '0', path, size, executable ? 0755 : 0644, time);
    if (r == 0 && !fits)
        r = put_extended(writer, path, size, time, error);
    return r == 0 ? put(writer, &header, sizeof header, error) : r;
}

int archive_add_content(struct archive_writer *writer, const void *bytes, size_t size,
                        vqemu_error **error) {
    return put(writer, bytes, size, error);
}

int archive_finish(struct archive_writer *writer, vqemu_error **error) {
    int r = pad(writer, TAR_BLOCK_SIZE, error);
    if (r == 0)
        r = put(writer, NULL, 2 * TAR_BLOCK_SIZE, error);
    if (r == 0)
        r = pad(writer, RECORD_SIZE, error);
    return r == 0 ? flush(writer, error) : r;
}
