/* SPDX-License-Identifier: MIT */
#include "suggest.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* How many letters are to be added, taken away, replaced, or swapped with their neighbours. */
static size_t distance_between(const char *from, const char *to) {
    size_t height = strlen(from), width = strlen(to) + 1;
    _cleanup_free_ size_t *all = grow(NULL, (height + 1) * width * sizeof *all);
    for (size_t j = 0; j < width; j++)
        all[j] = j;
    for (size_t i = 1; i <= height; i++) {
        size_t *row = all + i * width, *above = row - width;
        row[0] = i;
        for (size_t j = 1; j < width; j++) {
            row[j] =
                least(least(above[j], row[j - 1]) + 1, above[j - 1] + (from[i - 1] != to[j - 1]));
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                row[j] = least(row[j], (above - width)[j - 2] + 1);
        }
    }
    return all[height * width + width - 1];
}

void suggestion_consider(struct suggestion *suggestion, const char *candidate) {
    size_t length = strlen(suggestion->word);
    if (length > 40)
        return;
    size_t distance = distance_between(suggestion->word, candidate);
    if (distance > 1 + length / 4 || distance >= strlen(candidate))
        return;
    if (!suggestion->best || distance < suggestion->distance) {
        suggestion->best = candidate;
        suggestion->distance = distance;
    }
}
