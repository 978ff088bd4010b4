/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "cleanup.h"
#include "message.h"

void *grow(void *memory, size_t size) {
    void *grown = realloc(memory, size);
    if (!grown)
        fail_memory();
    return grown;
}

char *format_text_va(const char *format, va_list arguments) {
    char *text;
    if (vasprintf(&text, format, arguments) < 0)
        fail_memory();
    return text;
}

char *format_text(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text_va(format, arguments);
    va_end(arguments);
    return text;
}

char *append_text(char *text, const char *more, size_t length) {
    size_t old = strlen(text);
    char *grown = grow(text, old + length + 1);
    memcpy(grown + old, more, length);
    grown[old + length] = '\0';
    return grown;
}

/* What would reorder a line of text: as the library has it in its messages. */
static bool is_deceptive(wchar_t character) {
    return character == 0x061c || character == 0x200e || character == 0x200f ||
           (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

/* The length of the printable character that text begins with, or 0 if it is not one. */
static size_t printable_length(const char *text) {
    mbstate_t state = {0};
    wchar_t character;
    size_t length = mbrtowc(&character, text, strlen(text), &state);
    if (length == (size_t)-1 || length == (size_t)-2 || !iswprint((wint_t)character) ||
        is_deceptive(character))
        return 0;
    return length;
}

char *printable(const char *text) {
    char *safe = grow(NULL, strlen("\\xHH") * strlen(text) + 1);
    char *end = safe;
    while (*text) {
        size_t length = printable_length(text);
        if (length > 0) {
            end = mempcpy(end, text, length);
            text += length;
        } else {
            end += sprintf(end, "\\x%02X", (unsigned char)*text);
            text++;
        }
    }
    *end = '\0';
    return safe;
}

/* A character that is not printable, as JSON escapes it: one beyond 16 bits is two halves. Returns
 * its length; what is no UTF-8 stays as it is. */
static size_t escape(const char *text, char **end) {
    mbstate_t state = {0};
    wchar_t character;
    size_t length = mbrtowc(&character, text, strlen(text), &state);
    if (length == (size_t)-1 || length == (size_t)-2) {
        *(*end)++ = *text;
        return 1;
    }
    uint32_t point = (uint32_t)character;
    if (point < 0x10000)
        *end += sprintf(*end, "\\u%04x", point);
    else
        *end += sprintf(*end, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10),
                        0xdc00 + ((point - 0x10000) & 0x3ff));
    return length;
}

/* What is not ASCII is in strings only, and the controls of ASCII are escaped already. */
char *printable_json(const char *json) {
    char *safe = grow(NULL, strlen("\\uXXXX") * strlen(json) + 1), *end = safe;
    while (*json) {
        size_t length = (unsigned char)*json < 0x80 ? 1 : printable_length(json);
        if (length > 0)
            end = mempcpy(end, json, length);
        else
            length = escape(json, &end);
        json += length;
    }
    *end = '\0';
    return safe;
}

size_t text_width(const char *text) {
    size_t size = strlen(text) + 1;
    wchar_t *wide = grow(NULL, size * sizeof *wide);
    size_t length = mbstowcs(wide, text, size);
    int width = length == (size_t)-1 ? -1 : wcswidth(wide, length);
    free(wide);
    return width < 0 ? size - 1 : (size_t)width;
}

char *format_size(int64_t bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 0)
        return format_text("-");
    size_t unit = 0;
    double size = (double)bytes;
    while (size >= 1024 && unit < sizeof units / sizeof *units - 1) {
        size /= 1024;
        unit++;
    }
    return format_text(unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
}
