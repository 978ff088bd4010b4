/* SPDX-License-Identifier: MIT */
/* gzip (RFC 1952), with its checksums. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

#include "base/dlopen-note.h"
#include "base/optional-library.h"
#include "transfer/unpack.h"

DLOPEN_NOTE(zlib, "[{\"feature\":\"gzip\",\"description\":\"Import of gzip archives\","
                  "\"priority\":\"recommended\",\"soname\":[\"libz.so.1\"]}]");

struct gunzip {
    __typeof__(inflateInit2_) *init;
    __typeof__(inflate) *inflate;
    __typeof__(inflateReset) *reset;
    __typeof__(inflateEnd) *end;
    z_stream stream;
};

static bool load_zlib(struct gunzip *gunzip) {
    const struct optional_function functions[] = {
        {"inflateInit2_", &gunzip->init},
        {"inflate", &gunzip->inflate},
        {"inflateReset", &gunzip->reset},
        {"inflateEnd", &gunzip->end},
    };
    const char *problem;
    return optional_library_load("libz.so.1", functions, sizeof functions / sizeof *functions,
                                 &problem);
}

static void *gunzip_open(const char **problem) {
    const int gzip_only = 16 + MAX_WBITS;
    struct gunzip *new = calloc(1, sizeof *new);
    if (!new)
        return NULL;
    if (!load_zlib(new))
        *problem = "gzip archives need zlib, but libz.so.1 cannot be loaded";
    else if (new->init(&new->stream, gzip_only, ZLIB_VERSION, sizeof new->stream) == Z_OK)
        return new;
    free(new);
    return NULL;
}

static void gunzip_close(void *state) {
    struct gunzip *gunzip = state;
    gunzip->end(&gunzip->stream);
    free(gunzip);
}

static int gunzip_restart(void *state) {
    struct gunzip *gunzip = state;
    return gunzip->reset(&gunzip->stream) == Z_OK ? 0 : -ENOMEM;
}

static uInt share(size_t size) {
    return size > UINT_MAX ? UINT_MAX : (uInt)size;
}

static int gunzip_step(void *state, struct unpack_buffers *buffers, const char **problem) {
    struct gunzip *gunzip = state;
    z_stream *stream = &gunzip->stream;
    uInt in = share(buffers->in_size), out = share(buffers->out_size);
    stream->next_in = (Bytef *)(uintptr_t)buffers->in;
    stream->avail_in = in;
    stream->next_out = buffers->out;
    stream->avail_out = out;
    int r = gunzip->inflate(stream, Z_NO_FLUSH);
    buffers->in += in - stream->avail_in;
    buffers->in_size -= in - stream->avail_in;
    buffers->out += out - stream->avail_out;
    buffers->out_size -= out - stream->avail_out;
    if (r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR)
        return r == Z_STREAM_END;
    *problem = "the gzip data is damaged (wrong checksum or broken code)";
    return r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

const struct unpack_method unpack_gzip = {
    .magic = {0x1f, 0x8b},
    .magic_size = 2,
    .open = gunzip_open,
    .close = gunzip_close,
    .restart = gunzip_restart,
    .step = gunzip_step,
};
