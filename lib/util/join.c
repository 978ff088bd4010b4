/* SPDX-License-Identifier: MIT */
#include "util/join.h"

#include <stdlib.h>
#include <string.h>

size_t join_length(va_list texts) {
    size_t length = 0;
    for (const char *text; (text = va_arg(texts, const char *));)
        length += strlen(text);
    return length;
}

void join_into(char *memory, va_list texts) {
    *memory = '\0';
    for (const char *text; (text = va_arg(texts, const char *));)
        memory = stpcpy(memory, text);
}

char *join_texts(const char *first, ...) {
    va_list texts;
    va_start(texts, first);
    char *joined = malloc(strlen(first) + join_length(texts) + 1);
    va_end(texts);
    if (!joined)
        return NULL;
    va_start(texts, first);
    join_into(stpcpy(joined, first), texts);
    va_end(texts);
    return joined;
}
