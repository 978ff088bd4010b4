/* SPDX-License-Identifier: MIT */
#include "trust/public-key.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "util/base64.h"

/* A SubjectPublicKeyInfo of Ed25519 (RFC 8410) is this and the key. */
static const unsigned char spki[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                     0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
#define SPKI_SIZE (sizeof spki + ED25519_KEY_BYTES)

void public_keys_release(struct public_keys *keys) {
    for (size_t i = 0; i < keys->count; i++)
        free(keys->keys[i].name);
    free(keys->keys);
    *keys = (struct public_keys){0};
}

const char *key_kind_name(enum key_kind kind) {
    static const char *const names[] = {
        [KEY_SIGNIFY] = "signify", [KEY_OPENSSL] = "openssl", [KEY_SSH] = "ssh"};
    return names[kind];
}

/* ---- by what people tell them ---- */

void key_number_to_text(const unsigned char number[KEY_NUMBER_BYTES], char id[KEY_ID_SIZE]) {
    for (size_t i = 0; i < KEY_NUMBER_BYTES; i++)
        snprintf(id + 2 * i, 3, "%02X", number[KEY_NUMBER_BYTES - 1 - i]);
}

/* As ssh-keygen -l shows it. */
static void ssh_fingerprint(const unsigned char bytes[ED25519_KEY_BYTES], char id[KEY_ID_SIZE]) {
    static const char prefix[] = "SHA256:";
    static const unsigned char head[] = "\0\0\0\x0b" SSH_KEY_TYPE "\0\0\0\x20";
    unsigned char blob[sizeof head - 1 + ED25519_KEY_BYTES], raw[DIGEST_RAW_SIZE];
    memcpy(blob, head, sizeof head - 1);
    memcpy(blob + sizeof head - 1, bytes, ED25519_KEY_BYTES);
    digest_raw_of_bytes(blob, sizeof blob, raw);
    memcpy(id, prefix, sizeof prefix);
    base64_encode(raw, sizeof raw, id + strlen(prefix));
}

/* ---- what the tools encode ---- */

bool key_take_signify(const unsigned char *bytes, size_t size, struct public_key *key) {
    if (size != 2 + KEY_NUMBER_BYTES + ED25519_KEY_BYTES || memcmp(bytes, "Ed", 2) != 0)
        return false;
    *key = (struct public_key){.kind = KEY_SIGNIFY};
    memcpy(key->number, bytes + 2, KEY_NUMBER_BYTES);
    memcpy(key->bytes, bytes + 2 + KEY_NUMBER_BYTES, ED25519_KEY_BYTES);
    key_number_to_text(key->number, key->id);
    return true;
}

bool key_take_openssl(const unsigned char *bytes, size_t size, struct public_key *key) {
    if (size != SPKI_SIZE || memcmp(bytes, spki, sizeof spki) != 0)
        return false;
    *key = (struct public_key){.kind = KEY_OPENSSL};
    memcpy(key->bytes, bytes + sizeof spki, ED25519_KEY_BYTES);
    const struct digest digest = digest_of_bytes(bytes, size);
    memcpy(key->id, digest.hex, sizeof digest.hex);
    return true;
}

bool key_take_ssh(const unsigned char *bytes, size_t size, struct public_key *key) {
    struct wire wire = {bytes, size};
    const unsigned char *raw;
    if (!wire_take_text(&wire, SSH_KEY_TYPE) || !wire_take_bytes(&wire, ED25519_KEY_BYTES, &raw) ||
        wire.left > 0)
        return false;
    *key = (struct public_key){.kind = KEY_SSH};
    memcpy(key->bytes, raw, ED25519_KEY_BYTES);
    ssh_fingerprint(key->bytes, key->id);
    return true;
}
