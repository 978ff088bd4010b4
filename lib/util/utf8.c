/* SPDX-License-Identifier: MIT */
#include "util/utf8.h"

uint32_t utf8_decode(const char *text, int length) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (length == 0)
        return 0;
    uint32_t point = length == 1 ? bytes[0] : bytes[0] & (0xffU >> (length + 1));
    for (int i = 1; i < length; i++)
        point = point << 6 | (bytes[i] & 0x3f);
    return point;
}

bool utf8_is_deceptive(uint32_t point) {
    return (point >= 0x80 && point <= 0x9f) || point == 0x061c || point == 0x200e ||
           point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

int utf8_sequence_length(const char *text) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes[0] < 0x80)
        return 1;
    int length = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    static const uint32_t smallest[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};
    uint32_t point = bytes[0] & (0xffU >> (length + 1));
    if (bytes[0] < 0xc0 || bytes[0] > 0xf4)
        return 0;
    for (int i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (bytes[i] & 0x3f);
    }
    if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    return length;
}

bool utf8_is_valid(const char *text) {
    while (*text) {
        int length = utf8_sequence_length(text);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}
