/* SPDX-License-Identifier: MIT */
/*
 * A NULL-terminated vector of strings that are its own. Allocation failure is remembered, as in
 * strbuf.
 */
#ifndef UTIL_STRV_H
#define UTIL_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

struct strv {
    char **items; /* NULL-terminated, or NULL while empty */
    size_t count;
    size_t capacity;
    bool failed;
    struct arena *arena; /* that the strings are in, and which lives longer; NULL: in none */
};

void strv_add(struct strv *vector, const char *text);
/* So many bytes as a string. */
void strv_add_bytes(struct strv *vector, const char *bytes, size_t length);
void strv_addf(struct strv *vector, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes ownership of text; NULL stands for a failed allocation. */
void strv_take_in(struct strv *vector, char *text);
/* By bytes; those before the first stay where they are. */
void strv_sort(struct strv *vector, size_t first);
void strv_remove(struct strv *vector, size_t index);
void strv_release(struct strv *vector);

#define _cleanup_strv_ __attribute__((cleanup(strv_release)))

#endif
