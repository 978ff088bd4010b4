/* SPDX-License-Identifier: MIT */
/*
 * Memory for many small things that live and end together. Allocation failure is remembered, as in
 * strbuf; a text that there was no memory for is empty.
 */
#ifndef UTIL_ARENA_H
#define UTIL_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    bool failed;
};

/* Zeroed, and aligned for anything; NULL without memory, and for 0 bytes. */
void *arena_add(struct arena *arena, size_t size);
/* So many bytes as a text; NULL without memory. */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);
/* The same; never NULL. */
const char *arena_bytes(struct arena *arena, const char *bytes, size_t length);
const char *arena_text(struct arena *arena, const char *text);
/* Texts in a row, the last of them NULL; never NULL. */
const char *arena_join(struct arena *arena, ...) __attribute__((sentinel));
/* printf into the arena; never NULL. */
const char *arena_textf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *arena_textv(struct arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void arena_release(struct arena *arena);

#endif
