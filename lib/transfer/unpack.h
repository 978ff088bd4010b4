/* SPDX-License-Identifier: MIT */
/* Decompression of a stream: gzip, xz, zstd, or none. */
#ifndef LIB_UNPACK_H
#define LIB_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* So many bytes show how a stream is packed. */
#define UNPACK_MAGIC_MAX 6

/* Where the bytes come from: the next ones, 0 at the end, or a negative errno. They stay as they
 * are until the next call. */
typedef ssize_t (*unpack_source_fn)(void *userdata, const unsigned char **bytes);

struct unpacker;

/*
 * Begin. first: what the stream begins with, UNPACK_MAGIC_MAX bytes or more if it has so many,
 * which the source gives again. Returns 0 or a negative errno: -ENOMEM, or -ENOSYS with *problem, a
 * static text, if a library cannot be loaded.
 */
int unpack_open(const unsigned char *first, size_t size, unpack_source_fn source, void *userdata,
                struct unpacker **unpacker, const char **problem);
void unpack_close(struct unpacker *unpacker);

/*
 * The next decompressed bytes, at most size. Returns 0 at the end of sound data, or a negative
 * errno: what the source failed with; or with *problem, a static text, -EBADMSG for damage,
 * -ENODATA for data that is cut off, -EFBIG for what takes more memory to unpack than is allowed.
 */
ssize_t unpack_read(struct unpacker *unpacker, void *bytes, size_t size, const char **problem);

/* ---- for the methods, each of which is a file ---- */

/* What is to be read and where to. A step moves all four. */
struct unpack_buffers {
    const unsigned char *in;
    size_t in_size;
    unsigned char *out;
    size_t out_size;
};

struct unpack_method {
    /* The bytes that every member begins with. */
    unsigned char magic[UNPACK_MAGIC_MAX];
    size_t magic_size;
    bool has_skippable_frames; /* those of RFC 8878, 3.1.2, between and before its own */
    /* NULL with *problem, or NULL for lack of memory. */
    void *(*open)(const char **problem);
    void (*close)(void *state);
    /* Before each member but the first. Returns 0 or a negative errno. */
    int (*restart)(void *state);
    /* Returns 1 at the end of a member, 0, or a negative errno as unpack_read() does. */
    int (*step)(void *state, struct unpack_buffers *buffers, const char **problem);
};

extern const struct unpack_method unpack_gzip, unpack_xz, unpack_zstd;

#endif
