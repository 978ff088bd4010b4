/* SPDX-License-Identifier: MIT */
/* Signatures, as the tools that make them write them. */
#ifndef LIB_SIGNATURE_H
#define LIB_SIGNATURE_H

#include "trust/public-key.h"

enum signature_kind {
    SIGNATURE_UNKNOWN,
    SIGNATURE_SIGNIFY, /* of minisign, too, without its last two lines */
    SIGNATURE_MINISIGN,
    SIGNATURE_OPENSSL,
    SIGNATURE_SSH
};

/* One that was read. It borrows the comment from its text. */
struct signature {
    enum signature_kind kind;
    unsigned char bytes[ED25519_SIGNATURE_BYTES];
    unsigned char number[KEY_NUMBER_BYTES]; /* of signify and minisign: the key's */
    struct {
        const char *text;
        size_t size;
        unsigned char bytes[ED25519_SIGNATURE_BYTES]; /* sign the signature and the comment */
    } comment;                                        /* of minisign */
    struct {
        unsigned char key[ED25519_KEY_BYTES];
        bool is_sha512; /* else SHA-256 */
    } ssh;
    char id[KEY_ID_SIZE]; /* of the key that it says it is by; "" if it does not say that */
    const char *fault;    /* why it cannot be verified, "is ..."; NULL if it can be */
};

void signature_read(const void *bytes, size_t size, struct signature *signature);

/* "unknown", "signify", "minisign", "openssl", "ssh". */
const char *signature_kind_name(enum signature_kind kind);

/* Whether a key is the one that it says it is by. Of openssl, which says nothing, each may be. */
bool signature_may_be_by(const struct signature *signature, const struct public_key *key);

/* Whether it is by such a key, and of this text: 1, 0 or -ENOMEM. */
int signature_verify(const struct signature *signature, const struct public_key *key,
                     ed25519_verify_fn verify, const char *text, size_t size);

#endif
