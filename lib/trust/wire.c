/* SPDX-License-Identifier: MIT */
#include "trust/wire.h"

#include <string.h>

bool wire_take(struct wire *wire, size_t size, const unsigned char **bytes) {
    if (size > wire->left)
        return false;
    *bytes = wire->at;
    wire->at += size;
    wire->left -= size;
    return true;
}

bool wire_take_number(struct wire *wire, uint32_t *number) {
    const unsigned char *bytes;
    if (!wire_take(wire, 4, &bytes))
        return false;
    *number = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
              (uint32_t)bytes[3];
    return true;
}

bool wire_take_string(struct wire *wire, struct wire *string) {
    uint32_t size;
    if (!wire_take_number(wire, &size) || !wire_take(wire, size, &string->at))
        return false;
    string->left = size;
    return true;
}

bool wire_is(const struct wire *string, const char *text) {
    return string->left == strlen(text) && memcmp(string->at, text, string->left) == 0;
}

bool wire_take_text(struct wire *wire, const char *text) {
    struct wire string;
    return wire_take_string(wire, &string) && wire_is(&string, text);
}

bool wire_take_bytes(struct wire *wire, size_t size, const unsigned char **bytes) {
    struct wire string;
    return wire_take_string(wire, &string) && string.left == size &&
           wire_take(&string, size, bytes);
}

void wire_add_string(struct strbuf *buffer, const void *bytes, size_t size) {
    const unsigned char length[] = {(unsigned char)(size >> 24), (unsigned char)(size >> 16),
                                    (unsigned char)(size >> 8), (unsigned char)size};
    strbuf_add_bytes(buffer, length, sizeof length);
    strbuf_add_bytes(buffer, bytes, size);
}
