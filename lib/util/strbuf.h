/* SPDX-License-Identifier: MIT */
/* A growing string. Allocation failure is remembered and reported once, when the text is taken. */
#ifndef UTIL_STRBUF_H
#define UTIL_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf {
    char *text; /* NUL-terminated, or NULL while empty */
    size_t length;
    size_t capacity;
    bool failed;
};

void strbuf_add_bytes(struct strbuf *buffer, const void *bytes, size_t size);
void strbuf_add(struct strbuf *buffer, const char *text);
void strbuf_add_char(struct strbuf *buffer, char c);
/* A number in base 8, 10 or 16, with zeros in front up to a number of digits: faster than
 * strbuf_addf(). */
void strbuf_add_number(struct strbuf *buffer, uint64_t number, unsigned base, int digits);
void strbuf_addf(struct strbuf *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_addv(struct strbuf *buffer, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
/* Drop what is behind so many bytes. */
void strbuf_truncate(struct strbuf *buffer, size_t length);

/* The text, owned by the caller, never NULL unless an allocation failed. The buffer is empty then.
 */
char *strbuf_take(struct strbuf *buffer);
void strbuf_release(struct strbuf *buffer);

#define _cleanup_strbuf_ __attribute__((cleanup(strbuf_release)))

/* printf into a new string; NULL if it cannot be allocated. */
char *format_string(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
