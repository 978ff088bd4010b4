/* SPDX-License-Identifier: MIT */
#include "util/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/join.h"

#define BLOCK_SIZE 4000 /* with what malloc(3) adds, a page */

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(max_align_t) char bytes[];
};

static struct arena_block *add_block(struct arena *arena, size_t size) {
    size_t most = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct arena_block *block =
        size > SIZE_MAX / 2 ? NULL : malloc(sizeof(struct arena_block) + most);
    if (!block) {
        arena->failed = true;
        return NULL;
    }
    *block = (struct arena_block){.next = arena->blocks, .size = most};
    arena->blocks = block;
    return block;
}

/* Not zeroed. */
static char *take(struct arena *arena, size_t size, size_t alignment) {
    struct arena_block *block = arena->blocks;
    size_t start = block ? (block->used + alignment - 1) / alignment * alignment : 0;
    if (!block || start > block->size || size > block->size - start) {
        block = add_block(arena, size);
        start = 0;
    }
    if (!block)
        return NULL;
    block->used = start + size;
    return block->bytes + start;
}

void *arena_add(struct arena *arena, size_t size) {
    void *memory = size > 0 ? take(arena, size, _Alignof(max_align_t)) : NULL;
    return memory ? memset(memory, 0, size) : NULL;
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length) {
    char *copy = take(arena, length + 1, 1);
    if (!copy)
        return NULL;
    copy[length] = '\0';
    return memcpy(copy, bytes, length);
}

const char *arena_bytes(struct arena *arena, const char *bytes, size_t length) {
    const char *copy = arena_copy(arena, bytes, length);
    return copy ? copy : "";
}

const char *arena_text(struct arena *arena, const char *text) {
    return arena_bytes(arena, text, strlen(text));
}

const char *arena_join(struct arena *arena, ...) {
    va_list texts;
    va_start(texts, arena);
    char *joined = take(arena, join_length(texts) + 1, 1);
    va_end(texts);
    if (!joined)
        return "";
    va_start(texts, arena);
    join_into(joined, texts);
    va_end(texts);
    return joined;
}

const char *arena_textv(struct arena *arena, const char *format, va_list arguments) {
    struct arena_block *block = arena->blocks;
    size_t room = block ? block->size - block->used : 0;
    char *text = block ? block->bytes + block->used : NULL;
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(text, room, format, again);
    va_end(again);
    if (length < 0) {
        arena->failed = true;
        return "";
    }
    bool is_whole = (size_t)length < room; /* then it is taken where it was printed */
    text = take(arena, (size_t)length + 1, 1);
    if (!text)
        return "";
    if (!is_whole)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

const char *arena_textf(struct arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_textv(arena, format, arguments);
    va_end(arguments);
    return text;
}

void arena_release(struct arena *arena) {
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    *arena = (struct arena){0};
}
