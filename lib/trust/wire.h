/* SPDX-License-Identifier: MIT */
/* How SSH writes strings (RFC 4251, section 5): their length in 4 bytes, and the bytes. */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/strbuf.h"

/* What is left to be read. */
struct wire {
    const unsigned char *at;
    size_t left;
};

/* Take bytes, a number or a string. False if so much is not there. */
bool wire_take(struct wire *wire, size_t size, const unsigned char **bytes);
bool wire_take_number(struct wire *wire, uint32_t *number);
bool wire_take_string(struct wire *wire, struct wire *string);

/* Take a string that is this text, or this many bytes. */
bool wire_take_text(struct wire *wire, const char *text);
bool wire_take_bytes(struct wire *wire, size_t size, const unsigned char **bytes);

bool wire_is(const struct wire *string, const char *text);

void wire_add_string(struct strbuf *buffer, const void *bytes, size_t size);

#endif
