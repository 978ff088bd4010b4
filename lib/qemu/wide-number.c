/* SPDX-License-Identifier: MIT */
#include "qemu/wide-number.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json-key.h"
#include "util/strbuf.h"

#define DIGITS_MAX 32 /* of a number that is looked at; none of 64 bits has more */

static bool is_too_large(const char *number, size_t length) {
    char copy[DIGITS_MAX + 1];
    if (length > DIGITS_MAX || strspn(number, "-0123456789") < length)
        return false;
    memcpy(copy, number, length);
    copy[length] = '\0';
    errno = 0;
    strtoll(copy, NULL, 10);
    return errno == ERANGE;
}

/* The length of what is at the front: a string, a number, or one byte of anything else. */
static size_t piece_length(const char *text, size_t size) {
    size_t length = 0;
    if (*text == '"')
        return (size_t)(json_string_end(text, text + size) - text);
    while (length < size && text[length] && strchr("+-.0123456789eE", text[length]))
        length++;
    return length > 0 ? length : 1;
}

char *wide_numbers_to_reals(const char *text, size_t size, size_t *new_size) {
    _cleanup_strbuf_ struct strbuf new = {0};
    bool found = false;
    for (size_t i = 0, length; i < size; i += length) {
        length = piece_length(text + i, size - i);
        strbuf_add_bytes(&new, text + i, length);
        if (is_too_large(text + i, length)) {
            strbuf_add(&new, ".0");
            found = true;
        }
    }
    *new_size = new.length;
    return found ? strbuf_take(&new) : NULL;
}
