/* SPDX-License-Identifier: MIT */
#include "util/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that most of what is printed has room in. What is longer is printed twice. */
#define USUAL_TEXT 40

static bool reserve(struct strbuf *buffer, size_t more) {
    if (buffer->failed)
        return false;
    if (buffer->capacity - buffer->length > more)
        return true;
    if (more > SIZE_MAX / 4 || buffer->length > SIZE_MAX / 4) {
        buffer->failed = true;
        return false;
    }
    size_t capacity = 2 * buffer->length + more + 32;
    char *text = realloc(buffer->text, capacity);
    if (!text) {
        buffer->failed = true;
        return false;
    }
    buffer->text = text;
    buffer->capacity = capacity;
    return true;
}

void strbuf_add_bytes(struct strbuf *buffer, const void *bytes, size_t size) {
    if (!reserve(buffer, size))
        return;
    if (size > 0)
        memcpy(buffer->text + buffer->length, bytes, size);
    buffer->length += size;
    buffer->text[buffer->length] = '\0';
}

void strbuf_add(struct strbuf *buffer, const char *text) {
    strbuf_add_bytes(buffer, text, strlen(text));
}

void strbuf_add_char(struct strbuf *buffer, char c) {
    strbuf_add_bytes(buffer, &c, 1);
}

void strbuf_add_number(struct strbuf *buffer, uint64_t number, unsigned base, int digits) {
    char text[24];
    size_t start = sizeof text;
    while (number > 0 || digits > 0 || start == sizeof text) {
        text[--start] = "0123456789abcdef"[number % base];
        number /= base;
        digits--;
    }
    strbuf_add_bytes(buffer, text + start, sizeof text - start);
}

void strbuf_addv(struct strbuf *buffer, const char *format, va_list arguments) {
    if (!reserve(buffer, USUAL_TEXT))
        return;
    size_t room = buffer->capacity - buffer->length;
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(buffer->text + buffer->length, room, format, again);
    va_end(again);
    if (size < 0) {
        buffer->failed = true;
        return;
    }
    if ((size_t)size >= room) {
        if (!reserve(buffer, (size_t)size))
            return;
        vsnprintf(buffer->text + buffer->length, (size_t)size + 1, format, arguments);
    }
    buffer->length += (size_t)size;
}

void strbuf_addf(struct strbuf *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    strbuf_addv(buffer, format, arguments);
    va_end(arguments);
}

void strbuf_truncate(struct strbuf *buffer, size_t length) {
    if (length >= buffer->length)
        return;
    buffer->length = length;
    buffer->text[length] = '\0';
}

char *strbuf_take(struct strbuf *buffer) {
    strbuf_add_bytes(buffer, "", 0);
    if (buffer->failed) {
        strbuf_release(buffer);
        return NULL;
    }
    char *text = buffer->text;
    *buffer = (struct strbuf){0};
    return text;
}

void strbuf_release(struct strbuf *buffer) {
    free(buffer->text);
    *buffer = (struct strbuf){0};
}

char *format_string(const char *format, ...) {
    struct strbuf buffer = {0};
    va_list arguments;
    va_start(arguments, format);
    strbuf_addv(&buffer, format, arguments);
    va_end(arguments);
    return strbuf_take(&buffer);
}
