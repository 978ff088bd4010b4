/* SPDX-License-Identifier: MIT */
/* Ed25519 (RFC 8032), by nettle's hogweed: loaded when the first key is given. */
#ifndef LIB_ED25519_H
#define LIB_ED25519_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#define ED25519_KEY_BYTES 32
#define ED25519_SIGNATURE_BYTES 64

/* Whether a signature of a text is by a key: 1 or 0. */
typedef int (*ed25519_verify_fn)(const uint8_t *key, size_t size, const uint8_t *text,
                                 const uint8_t *signature);

/* VQEMU_ERR_UNSUPPORTED, with the reason "library-missing", if it cannot be loaded. */
int ed25519_load(ed25519_verify_fn *verify, vqemu_error **error);

#endif
