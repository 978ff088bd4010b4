/* SPDX-License-Identifier: MIT */
#include "util/word.h"

#include <limits.h>
#include <string.h>

const char *null_if_empty(const char *text) {
    return text && *text ? text : NULL;
}

bool has_word(const char *line, const char *word) {
    size_t length = strlen(word);
    if (length == 0)
        return false;
    for (const char *at = line; (at = strstr(at, word)); at++)
        if ((at == line || strchr(" \t", at[-1])) && strchr(" \t\n", at[length]))
            return true;
    return false;
}

bool begins_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), size = strlen(end);
    return length > size && strcmp(text + length - size, end) == 0;
}

int fold_letter(char c) {
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : (unsigned char)c;
}

bool begins_folded(const char *text, const char *start) {
    while (*start && fold_letter(*text) == fold_letter(*start)) {
        text++;
        start++;
    }
    return !*start;
}

int compare_folded(const char *a, const char *b) {
    while (*a && fold_letter(*a) == fold_letter(*b)) {
        a++;
        b++;
    }
    return fold_letter(*a) - fold_letter(*b);
}

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

unsigned word_distance(const char *word, const char *other) {
    unsigned rows[WORD_COMPARED_MAX + 1][WORD_COMPARED_MAX + 1];
    size_t height = strlen(word), width = strlen(other);
    if (height > WORD_COMPARED_MAX || width > WORD_COMPARED_MAX)
        return UINT_MAX;
    for (size_t i = 0; i <= height; i++) {
        for (size_t j = 0; j <= width; j++) {
            if (i == 0 || j == 0) {
                rows[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned change = word[i - 1] != other[j - 1];
            rows[i][j] =
                least(rows[i - 1][j - 1] + change, least(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && word[i - 1] == other[j - 2] && word[i - 2] == other[j - 1])
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    }
    return rows[height][width];
}
