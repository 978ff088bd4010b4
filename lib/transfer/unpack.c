/* SPDX-License-Identifier: MIT */
#include "transfer/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * So many bytes may come without any content: skippable frames, empty members, padding. Else a
 * source that goes on for ever would never be found out.
 */
#define BARREN_MAX ((uint64_t)16 * 1024 * 1024)

struct unpacker {
    const struct unpack_method *method; /* NULL if nothing is packed */
    void *state;
    unpack_source_fn source;
    void *userdata;
    const unsigned char *in;
    size_t in_size;
    uint64_t barren;
    bool at_member_end, in_padding;
};

/* Whether bytes, as far as they are there, are the beginning of a member. */
static bool begins(const struct unpack_method *method, const unsigned char *bytes, size_t size) {
    static const unsigned char skippable[] = {0x2a, 0x4d, 0x18}; /* behind 0x50 to 0x5f */
    size_t known = size < method->magic_size ? size : method->magic_size;
    if (memcmp(bytes, method->magic, known) == 0)
        return true;
    known = size - 1 < sizeof skippable ? size - 1 : sizeof skippable;
    return method->has_skippable_frames && (bytes[0] & 0xf0) == 0x50 &&
           memcmp(bytes + 1, skippable, known) == 0;
}

static const struct unpack_method *find_method(const unsigned char *bytes, size_t size) {
    static const struct unpack_method *const methods[] = {&unpack_gzip, &unpack_xz, &unpack_zstd};
    for (size_t i = 0; size > 0 && i < sizeof methods / sizeof *methods; i++)
        if (begins(methods[i], bytes, size))
            return methods[i];
    return NULL;
}

int unpack_open(const unsigned char *first, size_t size, unpack_source_fn source, void *userdata,
                struct unpacker **unpacker, const char **problem) {
    *problem = NULL;
    struct unpacker *new = calloc(1, sizeof *new);
    if (!new)
        return -ENOMEM;
    new->method = find_method(first, size);
    new->source = source;
    new->userdata = userdata;
    if (new->method)
        new->state = new->method->open(problem);
    if (new->method && !new->state) {
        free(new);
        return *problem ? -ENOSYS : -ENOMEM;
    }
    *unpacker = new;
    return 0;
}

void unpack_close(struct unpacker *unpacker) {
    if (!unpacker)
        return;
    if (unpacker->method)
        unpacker->method->close(unpacker->state);
    free(unpacker);
}

/* More bytes of the source. Returns 1, 0 at their end, or a negative errno. */
static int refill(struct unpacker *unpacker, const char **problem) {
    if (unpacker->in_size > 0)
        return 1;
    ssize_t n = unpacker->source(unpacker->userdata, &unpacker->in);
    if (n <= 0)
        return (int)n;
    unpacker->in_size = (size_t)n;
    unpacker->barren += (uint64_t)n;
    if (unpacker->barren <= BARREN_MAX)
        return 1;
    *problem = "the compressed data goes on and on without any content";
    return -EBADMSG;
}

/*
 * Behind a member another one may follow, as pigz and others write them, or zeros to the end, with
 * which tar programs fill up a block of a tape.
 */
static int pass_member_end(struct unpacker *unpacker, const char **problem) {
    while (unpacker->in_size > 0 && *unpacker->in == 0) {
        unpacker->in_padding = true;
        unpacker->in++;
        unpacker->in_size--;
    }
    if (unpacker->in_size == 0)
        return 0;
    *problem = "there is data after the end of the compressed data";
    if (unpacker->in_padding || !begins(unpacker->method, unpacker->in, unpacker->in_size))
        return -EBADMSG;
    unpacker->at_member_end = false;
    return unpacker->method->restart(unpacker->state);
}

static int step(struct unpacker *unpacker, unsigned char **out, size_t *size,
                const char **problem) {
    struct unpack_buffers buffers = {unpacker->in, unpacker->in_size, *out, *size};
    int r = unpacker->method->step(unpacker->state, &buffers, problem);
    if (buffers.out_size < *size)
        unpacker->barren = 0;
    unpacker->in = buffers.in;
    unpacker->in_size = buffers.in_size;
    *out = buffers.out;
    *size = buffers.out_size;
    unpacker->at_member_end = r == 1;
    return r;
}

static ssize_t read_unpacked(struct unpacker *unpacker, void *bytes, size_t size,
                             const char **problem) {
    unpacker->barren = 0;
    int r = refill(unpacker, problem);
    if (r <= 0)
        return r;
    size_t n = size < unpacker->in_size ? size : unpacker->in_size;
    memcpy(bytes, unpacker->in, n);
    unpacker->in += n;
    unpacker->in_size -= n;
    return (ssize_t)n;
}

/* Returns 1, 0 at the end, or a negative errno. */
static int unpack_some(struct unpacker *unpacker, unsigned char **out, size_t *size,
                       const char **problem) {
    size_t before = *size;
    int more = refill(unpacker, problem);
    if (more < 0 || (more == 0 && unpacker->at_member_end))
        return more;
    int r = unpacker->at_member_end ? pass_member_end(unpacker, problem) : 0;
    if (r < 0 || unpacker->at_member_end)
        return r < 0 ? r : 1;
    /* Where the source has ended, a method may still have something to give. */
    r = step(unpacker, out, size, problem);
    if (r != 0 || more > 0 || *size < before)
        return r < 0 ? r : 1;
    *problem = "the compressed data is cut off";
    return -ENODATA;
}

ssize_t unpack_read(struct unpacker *unpacker, void *bytes, size_t size, const char **problem) {
    *problem = NULL;
    if (!unpacker->method)
        return read_unpacked(unpacker, bytes, size, problem);
    unsigned char *out = bytes;
    size_t left = size;
    while (left == size) {
        int r = unpack_some(unpacker, &out, &left, problem);
        if (r <= 0)
            return r;
    }
    *problem = NULL;
    return (ssize_t)(size - left);
}
