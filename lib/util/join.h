/* SPDX-License-Identifier: MIT */
/* Texts in a row: what printing is too much for. The last argument is NULL. */
#ifndef UTIL_JOIN_H
#define UTIL_JOIN_H

#include <stdarg.h>
#include <stddef.h>

/* As a new string; NULL without memory. */
char *join_texts(const char *first, ...) __attribute__((sentinel));

/* In memory that is there already: how many bytes they are, and the bytes with a NUL behind. */
size_t join_length(va_list texts);
void join_into(char *memory, va_list texts);

#endif
