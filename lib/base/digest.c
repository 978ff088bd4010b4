/* SPDX-License-Identifier: MIT */
/*
 * By nettle, which needs no initialisation, allocates nothing and cannot fail. libcrypto is as fast
 * with SHA instructions and faster without, but loading it costs each process more than assembling
 * a small profile does, and EVP would initialise OpenSSL for the whole process.
 */
#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <nettle/sha2.h>
#include <nettle/version.h>

#include "base/progress.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/sparse.h"

static_assert(sizeof(struct sha256_ctx) <= sizeof(struct digest_state), "it is too small");
static_assert(DIGEST_RAW_SIZE == SHA256_DIGEST_SIZE && SHA512_RAW_SIZE == SHA512_DIGEST_SIZE,
              "they are those of nettle");

/* digest_state is storage for nettle's, so that only this file needs to know nettle. */
static struct sha256_ctx *context(struct digest_state *state) {
    return (struct sha256_ctx *)(void *)state;
}

void digest_start(struct digest_state *state) {
    sha256_init(context(state));
}

void digest_add(struct digest_state *state, const void *bytes, size_t size) {
    sha256_update(context(state), size, bytes);
}

static void finish(struct digest_state *state, unsigned char raw[DIGEST_RAW_SIZE]) {
#if NETTLE_VERSION_MAJOR >= 4
    sha256_digest(context(state), raw);
#else
    sha256_digest(context(state), DIGEST_RAW_SIZE, raw);
#endif
}

void digest_add_text(struct digest_state *state, const char *text) {
    digest_add(state, text, strlen(text) + 1);
}

struct digest digest_finish(struct digest_state *state) {
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[DIGEST_RAW_SIZE];
    struct digest digest;
    finish(state, raw);
    for (size_t i = 0; i < sizeof raw; i++) {
        digest.hex[2 * i] = digits[raw[i] >> 4];
        digest.hex[2 * i + 1] = digits[raw[i] & 15];
    }
    digest.hex[DIGEST_HEX_LENGTH] = '\0';
    return digest;
}

struct digest digest_of_bytes(const void *bytes, size_t size) {
    struct digest_state state;
    digest_start(&state);
    digest_add(&state, bytes, size);
    return digest_finish(&state);
}

void digest_raw_of_bytes(const void *bytes, size_t size, unsigned char raw[DIGEST_RAW_SIZE]) {
    struct digest_state state;
    digest_start(&state);
    digest_add(&state, bytes, size);
    finish(&state, raw);
}

void digest_sha512_of_bytes(const void *bytes, size_t size, unsigned char raw[SHA512_RAW_SIZE]) {
    struct sha512_ctx state;
    sha512_init(&state);
    sha512_update(&state, size, bytes);
#if NETTLE_VERSION_MAJOR >= 4
    sha512_digest(&state, raw);
#else
    sha512_digest(&state, SHA512_RAW_SIZE, raw);
#endif
}

/* Whether what is left of a file has holes, which need not be read. */
static bool find_holes(int fd, struct sparse_reader *reader) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return false;
    *reader = sparse_reader_of(fd, &status);
    reader->at = reader->is_dense ? 0 : lseek(fd, 0, SEEK_CUR);
    return !reader->is_dense && reader->at >= 0;
}

int digest_of_fd_by(int fd, unsigned char *buffer, const struct watch *watch, struct digest *digest,
                    uint64_t *size) {
    struct digest_state state;
    struct sparse_reader reader;
    bool is_sparse = find_holes(fd, &reader);
    digest_start(&state);
    *size = 0;
    for (;;) {
        ssize_t n = is_sparse ? read_sparsely(&reader, buffer, DIGEST_READ_SIZE)
                              : read_some(fd, buffer, DIGEST_READ_SIZE);
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        digest_add(&state, buffer, (size_t)n);
        *size += (uint64_t)n;
        int r = watch_poll(watch);
        if (r < 0)
            return r;
    }
    *digest = digest_finish(&state);
    return 0;
}

int digest_of_fd(int fd, const struct watch *watch, struct digest *digest, uint64_t *size) {
    _cleanup_free_ unsigned char *buffer = malloc(DIGEST_READ_SIZE);
    return buffer ? digest_of_fd_by(fd, buffer, watch, digest, size) : -ENOMEM;
}

bool digest_equal(const struct digest *a, const struct digest *b) {
    return strcmp(a->hex, b->hex) == 0;
}

bool digest_parse(const char *text, struct digest *digest) {
    if (strlen(text) != DIGEST_HEX_LENGTH || strspn(text, "0123456789abcdef") != DIGEST_HEX_LENGTH)
        return false;
    memcpy(digest->hex, text, DIGEST_HEX_LENGTH + 1);
    return true;
}
