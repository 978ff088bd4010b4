/* SPDX-License-Identifier: MIT */
/* SHA-256. */
#ifndef LIB_DIGEST_H
#define LIB_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_HEX_LENGTH 64

struct watch;

/* A digest as text: 64 lowercase hex digits and a NUL. */
struct digest {
    char hex[DIGEST_HEX_LENGTH + 1];
};

/* A hash being computed. It owns nothing outside itself, so it needs no release. */
struct digest_state {
    uint64_t opaque[16];
};

void digest_start(struct digest_state *state);
void digest_add(struct digest_state *state, const void *bytes, size_t size);
/* A text with its NUL, by which texts in a row are told apart. */
void digest_add_text(struct digest_state *state, const char *text);
struct digest digest_finish(struct digest_state *state);

struct digest digest_of_bytes(const void *bytes, size_t size);

/* As bytes, for what is computed further; likewise SHA-512, which SSH signs. */
#define DIGEST_RAW_SIZE 32
#define SHA512_RAW_SIZE 64
void digest_raw_of_bytes(const void *bytes, size_t size, unsigned char raw[DIGEST_RAW_SIZE]);
void digest_sha512_of_bytes(const void *bytes, size_t size, unsigned char raw[SHA512_RAW_SIZE]);

/* Hash a descriptor from its current offset to its end. Returns 0 or a negative errno. */
int digest_of_fd(int fd, const struct watch *watch, struct digest *digest, uint64_t *size);

/* The same with a buffer of DIGEST_READ_SIZE bytes that the caller has. */
#define DIGEST_READ_SIZE ((size_t)256 * 1024)
int digest_of_fd_by(int fd, unsigned char *buffer, const struct watch *watch, struct digest *digest,
                    uint64_t *size);

bool digest_equal(const struct digest *a, const struct digest *b);
/* Whether text is exactly 64 lowercase hex digits; then it is copied to *digest. */
bool digest_parse(const char *text, struct digest *digest);

#endif
