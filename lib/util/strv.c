/* SPDX-License-Identifier: MIT */
#include "util/strv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/strbuf.h"

/* Room for one more and the NULL. */
static bool reserve(struct strv *vector) {
    if (vector->failed)
        return false;
    if (vector->count + 1 < vector->capacity)
        return true;
    size_t capacity = vector->capacity ? 2 * vector->capacity : 16;
    char **items = realloc(vector->items, capacity * sizeof *items);
    if (!items) {
        vector->failed = true;
        return false;
    }
    vector->items = items;
    vector->capacity = capacity;
    return true;
}

static void append(struct strv *vector, char *text) {
    vector->items[vector->count++] = text;
    vector->items[vector->count] = NULL;
}

/* An item of the vector's own is freed with it, one in the arena with that. */
static void free_text(const struct strv *vector, char *text) {
    if (!vector->arena)
        free(text);
}

void strv_add_bytes(struct strv *vector, const char *bytes, size_t length) {
    if (!reserve(vector))
        return;
    char *copy = vector->arena ? arena_copy(vector->arena, bytes, length) : strndup(bytes, length);
    if (copy)
        append(vector, copy);
    else
        vector->failed = true;
}

void strv_add(struct strv *vector, const char *text) {
    strv_add_bytes(vector, text, strlen(text));
}

void strv_take_in(struct strv *vector, char *text) {
    if (!text) {
        vector->failed = true;
    } else if (vector->arena) {
        strv_add(vector, text);
        free(text);
    } else if (reserve(vector)) {
        append(vector, text);
    } else {
        free(text);
    }
}

void strv_addf(struct strv *vector, const char *format, ...) {
    struct strbuf buffer = {0};
    va_list arguments;
    va_start(arguments, format);
    strbuf_addv(&buffer, format, arguments);
    va_end(arguments);
    strv_take_in(vector, strbuf_take(&buffer));
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *vector, size_t first) {
    if (vector->count > first)
        qsort(vector->items + first, vector->count - first, sizeof *vector->items, compare);
}

void strv_remove(struct strv *vector, size_t index) {
    free_text(vector, vector->items[index]);
    memmove(&vector->items[index], &vector->items[index + 1],
            (vector->count - index) * sizeof *vector->items); /* and the NULL */
    vector->count--;
}

void strv_release(struct strv *vector) {
    for (size_t i = 0; i < vector->count; i++)
        free_text(vector, vector->items[i]);
    free(vector->items);
    *vector = (struct strv){.arena = vector->arena};
}
