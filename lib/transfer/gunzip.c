/* SPDX-License-Identifier: MIT */
#include "transfer/gunzip.h"

#include <errno.h>
#include <stdlib.h>

#include <zlib.h>

#include "transfer/dlopen-note.h"
#include "transfer/optional-library.h"

DLOPEN_NOTE(zlib, "[{\"feature\":\"gzip\",\"description\":\"Import of gzip archives\","
                  "\"priority\":\"recommended\",\"soname\":[\"libz.so.1\"]}]");

/* zlib's functions. */
struct zlib {
    __typeof__(inflateInit2_) *init;
    __typeof__(inflate) *inflate;
    __typeof__(inflateReset) *reset;
    __typeof__(inflateEnd) *end;
};

static bool load_zlib(struct zlib *zlib) {
    const struct optional_function functions[] = {
        {"inflateInit2_", &zlib->init},
        {"inflate", &zlib->inflate},
        {"inflateReset", &zlib->reset},
        {"inflateEnd", &zlib->end},
    };
    const char *problem;
    return optional_library_load("libz.so.1", functions, sizeof functions / sizeof *functions,
                                 &problem);
}

struct gunzip {
    struct zlib zlib;
    gunzip_source_fn source;
    void *userdata;
    z_stream stream;
    bool at_member_end;
};

bool gunzip_knows(const unsigned char *bytes, size_t size) {
    return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

struct gunzip *gunzip_new(gunzip_source_fn source, void *userdata, const char **problem) {
    const int gzip_only = 16 + MAX_WBITS;
    *problem = NULL;
    struct gunzip *new = calloc(1, sizeof *new);
    if (!new)
        return NULL;
    new->source = source;
    new->userdata = userdata;
    if (!load_zlib(&new->zlib))
        *problem = "gzip archives need zlib, but libz.so.1 cannot be loaded";
    else if (new->zlib.init(&new->stream, gzip_only, ZLIB_VERSION, sizeof new->stream) == Z_OK)
        return new;
    free(new);
    return NULL;
}

void gunzip_free(struct gunzip *gunzip) {
    if (!gunzip)
        return;
    gunzip->zlib.end(&gunzip->stream);
    free(gunzip);
}

/* More compressed bytes; 0 at their end. */
static ssize_t refill(struct gunzip *gunzip) {
    const unsigned char *bytes;
    if (gunzip->stream.avail_in > 0)
        return 1;
    ssize_t n = gunzip->source(gunzip->userdata, &bytes);
    if (n > 0) {
        gunzip->stream.next_in = (Bytef *)(uintptr_t)bytes;
        gunzip->stream.avail_in = (uInt)n;
    }
    return n;
}

/* Behind a member, nothing or another one may follow. */
static int begin_member(struct gunzip *gunzip, const char **problem) {
    *problem = "data after the end of the gzip data";
    if (gunzip->stream.next_in[0] != 0x1f || gunzip->zlib.reset(&gunzip->stream) != Z_OK)
        return -EBADMSG;
    gunzip->at_member_end = false;
    return 0;
}

static int inflate_some(struct gunzip *gunzip, const char **problem) {
    int r = gunzip->zlib.inflate(&gunzip->stream, Z_NO_FLUSH);
    if (r == Z_STREAM_END)
        gunzip->at_member_end = true;
    if (r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR)
        return 0;
    *problem = "the gzip data is damaged (wrong checksum or broken code)";
    return r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

ssize_t gunzip_read(struct gunzip *gunzip, void *bytes, size_t size, const char **problem) {
    gunzip->stream.next_out = bytes;
    gunzip->stream.avail_out = (uInt)size;
    while (gunzip->stream.avail_out == size) {
        ssize_t n = refill(gunzip);
        *problem = NULL;
        if (n == 0 && gunzip->at_member_end)
            return 0;
        *problem = "the gzip data is cut off";
        if (n <= 0)
            return n < 0 ? n : -EBADMSG;
        int r = gunzip->at_member_end ? begin_member(gunzip, problem) : 0;
        if (r == 0)
            r = inflate_some(gunzip, problem);
        if (r < 0)
            return r;
    }
    *problem = NULL;
    return (ssize_t)(size - gunzip->stream.avail_out);
}
