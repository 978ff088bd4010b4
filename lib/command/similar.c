/* SPDX-License-Identifier: MIT */
#include "command/similar.h"

#include <string.h>

#include "util/word.h"

void similar_look_at(struct similar *similar, const char *word) {
    unsigned distance = word_distance(similar->wanted, word);
    size_t length = strlen(similar->wanted), place = similar->count;
    if (distance == 0 || distance > length / 3 + 1 || distance >= strlen(word))
        return;
    while (place > 0 && similar->distances[place - 1] > distance)
        place--;
    if (place == SIMILAR_MAX)
        return;
    size_t moved = (similar->count < SIMILAR_MAX ? similar->count : SIMILAR_MAX - 1) - place;
    memmove(&similar->words[place + 1], &similar->words[place], moved * sizeof *similar->words);
    memmove(&similar->distances[place + 1], &similar->distances[place],
            moved * sizeof *similar->distances);
    similar->words[place] = word;
    similar->distances[place] = distance;
    similar->count += similar->count < SIMILAR_MAX;
}

void similar_add(const struct similar *similar, struct strbuf *text) {
    for (size_t i = 0; i < similar->count; i++)
        strbuf_addf(text, "%s%s", i > 0 ? ", " : "", similar->words[i]);
}
