/* SPDX-License-Identifier: MIT */
#include "base/json-key.h"

#include <stdbool.h>
#include <string.h>

#include "util/strbuf.h"

/* An object or array that is open at some place of a text. */
struct level {
    bool is_array;
    size_t index;                    /* of an array's element */
    const char *key_start, *key_end; /* of an object's member, with quotes; NULL before its key */
};

struct levels {
    struct level items[JSON_DEPTH_MAX];
    size_t count;
};

const char *json_string_end(const char *text, const char *end) {
    /* Hardly a string has escapes. */
    const char *quote = memchr(text + 1, '"', (size_t)(end - text - 1));
    if (quote && !memchr(text + 1, '\\', (size_t)(quote - text - 1)))
        return quote + 1;
    for (text++; text < end && *text != '"'; text++)
        text += *text == '\\';
    return text < end ? text + 1 : end;
}

static void note_string(struct levels *levels, const char *start, const char *end) {
    struct level *top = levels->count > 0 ? &levels->items[levels->count - 1] : NULL;
    if (!top || top->is_array || top->key_start)
        return;
    top->key_start = start;
    top->key_end = end;
}

static void note_mark(struct levels *levels, char mark) {
    struct level *top = levels->count > 0 ? &levels->items[levels->count - 1] : NULL;
    if ((mark == '{' || mark == '[') && levels->count < JSON_DEPTH_MAX)
        levels->items[levels->count++] = (struct level){.is_array = mark == '['};
    else if ((mark == '}' || mark == ']') && top)
        levels->count--;
    else if (mark == ',' && top)
        *top = (struct level){.is_array = top->is_array, .index = top->index + 1};
}

/* As it is written, with its escapes. */
static void add_key(struct strbuf *path, const struct level *level) {
    size_t length = (size_t)(level->key_end - level->key_start);
    strbuf_add(path, path->length > 0 ? "." : "");
    if (length > 2)
        strbuf_add_bytes(path, level->key_start + 1, length - 2);
}

char *json_key_at_end(const char *text, size_t size) {
    struct levels levels = {0};
    struct strbuf path = {0};
    for (const char *c = text, *end = text + size, *next; c < end; c = next) {
        next = *c == '"' ? json_string_end(c, end) : c + 1;
        if (*c == '"')
            note_string(&levels, c, next);
        else
            note_mark(&levels, *c);
    }
    for (size_t i = 0; i < levels.count; i++) {
        if (levels.items[i].is_array)
            strbuf_addf(&path, "[%zu]", levels.items[i].index);
        else if (levels.items[i].key_start)
            add_key(&path, &levels.items[i]);
    }
    strbuf_add(&path, "");
    return strbuf_take(&path);
}
