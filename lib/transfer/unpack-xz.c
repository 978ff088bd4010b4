/* SPDX-License-Identifier: MIT */
/* xz (https://tukaani.org/xz/xz-file-format.txt), with its checks. */
#include <errno.h>
#include <stdlib.h>

#include <lzma.h>

#include "base/dlopen-note.h"
#include "base/optional-library.h"
#include "transfer/unpack.h"

DLOPEN_NOTE(lzma, "[{\"feature\":\"xz\",\"description\":\"Import of xz archives\","
                  "\"priority\":\"recommended\",\"soname\":[\"liblzma.so.5\"]}]");

/* A dictionary of 64 MiB, that of xz -9 (xz(1)), and what is beside it. */
#define MEMORY_MAX ((uint64_t)68 * 1024 * 1024)

struct unxz {
    __typeof__(lzma_stream_decoder) *decoder;
    __typeof__(lzma_code) *code;
    __typeof__(lzma_end) *end;
    lzma_stream stream;
};

static bool load_lzma(struct unxz *unxz) {
    const struct optional_function functions[] = {
        {"lzma_stream_decoder", &unxz->decoder},
        {"lzma_code", &unxz->code},
        {"lzma_end", &unxz->end},
    };
    const char *problem;
    return optional_library_load("liblzma.so.5", functions, sizeof functions / sizeof *functions,
                                 &problem);
}

static int unxz_restart(void *state) {
    struct unxz *unxz = state;
    return unxz->decoder(&unxz->stream, MEMORY_MAX, 0) == LZMA_OK ? 0 : -ENOMEM;
}

static void unxz_close(void *state) {
    struct unxz *unxz = state;
    unxz->end(&unxz->stream);
    free(unxz);
}

static void *unxz_open(const char **problem) {
    struct unxz *new = calloc(1, sizeof *new);
    if (!new)
        return NULL;
    if (!load_lzma(new))
        *problem = "xz archives need liblzma, but liblzma.so.5 cannot be loaded";
    else if (unxz_restart(new) == 0)
        return new;
    free(new);
    return NULL;
}

static int unxz_step(void *state, struct unpack_buffers *buffers, const char **problem) {
    struct unxz *unxz = state;
    lzma_stream *stream = &unxz->stream;
    stream->next_in = buffers->in;
    stream->avail_in = buffers->in_size;
    stream->next_out = buffers->out;
    stream->avail_out = buffers->out_size;
    lzma_ret r = unxz->code(stream, LZMA_RUN);
    *buffers = (struct unpack_buffers){stream->next_in, stream->avail_in, stream->next_out,
                                       stream->avail_out};
    if (r == LZMA_OK || r == LZMA_STREAM_END || r == LZMA_BUF_ERROR)
        return r == LZMA_STREAM_END;
    *problem = "the xz data has a dictionary of more than 64 MiB; pack it with xz -9 or less";
    if (r == LZMA_MEMLIMIT_ERROR)
        return -EFBIG;
    *problem = r == LZMA_OPTIONS_ERROR ? "the xz data is of a kind that liblzma does not know"
                                       : "the xz data is damaged (wrong check or broken code)";
    return r == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

const struct unpack_method unpack_xz = {
    .magic = {0xfd, '7', 'z', 'X', 'Z', 0},
    .magic_size = 6,
    .open = unxz_open,
    .close = unxz_close,
    .restart = unxz_restart,
    .step = unxz_step,
};
