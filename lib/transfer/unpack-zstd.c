/* SPDX-License-Identifier: MIT */
/* Zstandard (RFC 8878), with its checksums. */
#include <errno.h>
#include <stdlib.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "base/dlopen-note.h"
#include "base/optional-library.h"
#include "transfer/unpack.h"

DLOPEN_NOTE(zstd, "[{\"feature\":\"zstd\",\"description\":\"Import of zstd archives\","
                  "\"priority\":\"recommended\",\"soname\":[\"libzstd.so.1\"]}]");

/* 128 MiB, which zstd --long has and zstd -d takes without being told (zstd(1)). */
#define WINDOW_LOG_MAX 27

struct unzstd {
    __typeof__(ZSTD_createDCtx) *create;
    __typeof__(ZSTD_freeDCtx) *free;
    __typeof__(ZSTD_DCtx_setParameter) *set;
    __typeof__(ZSTD_decompressStream) *decompress;
    __typeof__(ZSTD_isError) *is_error;
    __typeof__(ZSTD_getErrorCode) *error_code;
    ZSTD_DCtx *context;
};

static bool load_zstd(struct unzstd *unzstd) {
    const struct optional_function functions[] = {
        {"ZSTD_createDCtx", &unzstd->create},     {"ZSTD_freeDCtx", &unzstd->free},
        {"ZSTD_DCtx_setParameter", &unzstd->set}, {"ZSTD_decompressStream", &unzstd->decompress},
        {"ZSTD_isError", &unzstd->is_error},      {"ZSTD_getErrorCode", &unzstd->error_code},
    };
    const char *problem;
    return optional_library_load("libzstd.so.1", functions, sizeof functions / sizeof *functions,
                                 &problem);
}

static void *unzstd_open(const char **problem) {
    struct unzstd *new = calloc(1, sizeof *new);
    if (!new)
        return NULL;
    if (!load_zstd(new)) {
        *problem = "zstd archives need libzstd, but libzstd.so.1 cannot be loaded";
        free(new);
        return NULL;
    }
    new->context = new->create();
    if (new->context && !new->is_error(new->set(new->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        return new;
    new->free(new->context);
    free(new);
    return NULL;
}

static void unzstd_close(void *state) {
    struct unzstd *unzstd = state;
    unzstd->free(unzstd->context);
    free(unzstd);
}

/* The next frame begins by itself. */
static int unzstd_restart(void *state) {
    (void)state;
    return 0;
}

static int unzstd_step(void *state, struct unpack_buffers *buffers, const char **problem) {
    struct unzstd *unzstd = state;
    ZSTD_inBuffer in = {buffers->in, buffers->in_size, 0};
    ZSTD_outBuffer out = {buffers->out, buffers->out_size, 0};
    size_t r = unzstd->decompress(unzstd->context, &out, &in);
    buffers->in += in.pos;
    buffers->in_size -= in.pos;
    buffers->out += out.pos;
    buffers->out_size -= out.pos;
    if (!unzstd->is_error(r))
        return r == 0;
    ZSTD_ErrorCode code = unzstd->error_code(r);
    *problem = "the zstd data has a window of more than 128 MiB; pack it without --long, or with "
               "--long=27 or less";
    if (code == ZSTD_error_frameParameter_windowTooLarge)
        return -EFBIG;
    *problem = "the zstd data is damaged (wrong checksum or broken code)";
    return code == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
}

const struct unpack_method unpack_zstd = {
    .magic = {0x28, 0xb5, 0x2f, 0xfd},
    .magic_size = 4,
    .has_skippable_frames = true,
    .open = unzstd_open,
    .close = unzstd_close,
    .restart = unzstd_restart,
    .step = unzstd_step,
};
