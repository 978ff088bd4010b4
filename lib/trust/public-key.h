/* SPDX-License-Identifier: MIT */
/* Public Ed25519 keys, as the tools that make them write them. */
#ifndef LIB_PUBLIC_KEY_H
#define LIB_PUBLIC_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "trust/ed25519.h"
#include "trust/wire.h"

/* A key of one kind makes no signatures of another: who signs mails or logs in by a key of SSH has
 * not signed profiles. */
enum key_kind { KEY_SIGNIFY, KEY_OPENSSL, KEY_SSH };

/* What SSH signs is for a purpose, so that a signature cannot be used for another. */
#define SSH_NAMESPACE "volt-qemu"
#define SSH_KEY_TYPE "ssh-ed25519"

#define KEY_NUMBER_BYTES 8
#define KEY_ID_SIZE 72
#define KEYS_MAX 64
#define KEY_TEXT_MAX ((size_t)64 * 1024)

struct public_key {
    enum key_kind kind;
    unsigned char bytes[ED25519_KEY_BYTES];
    unsigned char number[KEY_NUMBER_BYTES]; /* of signify and minisign */
    char id[KEY_ID_SIZE];
    char *name; /* what its text says of it */
};

struct public_keys {
    struct public_key *keys;
    size_t count;
};

void public_keys_release(struct public_keys *keys);

/*
 * Add the keys of a text, which stands in messages for source, to those that there are; what is
 * there already is not added again. Kinds: docs/guide.md. On failure nothing is added.
 *
 * VQEMU_ERR_MALFORMED (reason "bad-key"), VQEMU_ERR_UNSUPPORTED (reason "key-kind"),
 * VQEMU_ERR_INVALID (reason "secret-key"; reason "too-many-keys"), VQEMU_ERR_NO_MEMORY.
 */
int public_keys_add_text(struct public_keys *keys, const char *text, size_t size,
                         const char *source, vqemu_error **error);

/* "signify" (and minisign), "openssl", "ssh". */
const char *key_kind_name(enum key_kind kind);

/* By what people tell keys of signify: the number that minisign shows. */
void key_number_to_text(const unsigned char number[KEY_NUMBER_BYTES], char id[KEY_ID_SIZE]);

/* What the tools encode: all of it must be of this form. false for another. */
bool key_take_signify(const unsigned char *bytes, size_t size, struct public_key *key);
bool key_take_openssl(const unsigned char *bytes, size_t size, struct public_key *key);
bool key_take_ssh(const unsigned char *bytes, size_t size, struct public_key *key);

#endif
