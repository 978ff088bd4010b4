/* SPDX-License-Identifier: MIT */
#include "util/strv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"

void strv_take_in(struct strv *vector, char *text) {
    if (text && !vector->failed && vector->count + 1 >= vector->capacity) {
        size_t capacity = vector->capacity ? 2 * vector->capacity : 16;
        char **items = realloc(vector->items, capacity * sizeof *items);
        if (items) {
            vector->items = items;
            vector->capacity = capacity;
        } else {
            vector->failed = true;
        }
    }
    if (!text || vector->failed) {
        vector->failed = true;
        free(text);
        return;
    }
    vector->items[vector->count++] = text;
    vector->items[vector->count] = NULL;
}

void strv_add(struct strv *vector, const char *text) {
    strv_take_in(vector, strdup(text));
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
    free(vector->items[index]);
    memmove(&vector->items[index], &vector->items[index + 1],
            (vector->count - index) * sizeof *vector->items); /* and the NULL */
    vector->count--;
}

void strv_release(struct strv *vector) {
    for (size_t i = 0; i < vector->count; i++)
        free(vector->items[i]);
    free(vector->items);
    *vector = (struct strv){0};
}
