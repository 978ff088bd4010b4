/* SPDX-License-Identifier: MIT */
/* Strings. Where memory runs out, these end the program. */
#ifndef TEXT_H
#define TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* realloc() that does not fail. */
void *grow(void *memory, size_t size);

/* A new string, printf-style. */
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *format_text_va(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Text that was allocated, with length bytes more behind it. */
char *append_text(char *text, const char *more, size_t length);

/* A copy that a terminal can be trusted with: other than printable UTF-8 becomes \xHH. */
char *printable(const char *text);

/* JSON that says the same, in which such characters are \uXXXX; others stay, in whatever script. */
char *printable_json(const char *json);

/* The columns of a terminal that printable text takes. */
size_t text_width(const char *text);

/* A number of bytes for people: "33.1 MiB"; "-" for the library's -1, "not known". */
char *format_size(int64_t bytes);

#endif
