/* SPDX-License-Identifier: MIT */
#include "util/base64.h"

#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What a letter stands for; -1 for another byte, such as NUL. */
static int value_of(char letter) {
    const char *found = letter ? strchr(letters, letter) : NULL;
    return found ? (int)(found - letters) : -1;
}

ssize_t base64_decode(const char *text, size_t length, unsigned char *bytes, size_t size) {
    uint32_t bits = 0;
    size_t count = 0, padding = 0, done = 0; /* count: of letters, "=" too */
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n' || text[i] == '\r')
            continue;
        int value = text[i] == '=' ? 0 : value_of(text[i]);
        padding += text[i] == '=';
        if (value < 0 || (padding > 0 && text[i] != '='))
            return -1;
        bits = bits << 6 | (uint32_t)value;
        if (++count % 4 != 0)
            continue;
        size_t whole = padding > 2 ? 0 : 3 - padding;
        if (whole == 0 || whole > size - done || bits & (whole == 3 ? 0 : whole == 2 ? 255 : 65535))
            return -1;
        for (size_t j = 0; j < whole; j++)
            bytes[done++] = (unsigned char)(bits >> (16 - 8 * j));
        bits = 0;
    }
    return count % 4 == 0 ? (ssize_t)done : -1;
}

void base64_encode(const unsigned char *bytes, size_t size, char *text) {
    uint32_t bits = 0;
    unsigned left = 0; /* bits that are not written yet */
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (left += 8; left >= 6; left -= 6)
            *text++ = letters[bits >> (left - 6) & 63];
    }
    if (left > 0)
        *text++ = letters[bits << (6 - left) & 63];
    *text = '\0';
}
