/* SPDX-License-Identifier: MIT */
#include "util/similar.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/word.h"

/* Fewer letters are the beginning of too much. */
#define BEGINNING_MIN 3

/* Whether a word is only a longer one, as "Skylake-Client" is for "skylake". */
static bool is_beginning(const char *wanted, const char *word) {
    return strlen(wanted) >= BEGINNING_MIN && begins_folded(word, wanted);
}

static bool is_alike(const char *wanted, const char *word, unsigned distance) {
    return (distance <= strlen(wanted) / 3 + 1 && distance < strlen(word)) ||
           (distance != UINT_MAX && is_beginning(wanted, word));
}

void similar_look_at(struct similar *similar, const char *word) {
    unsigned distance = word_distance(similar->wanted, word);
    size_t place = similar->count;
    if (distance == 0 || !is_alike(similar->wanted, word, distance))
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

int similar_in_list(const char *wanted, const char *list, char **nearest) {
    *nearest = NULL;
    _cleanup_free_ char *words = strdup(list);
    if (!words)
        return -ENOMEM;
    struct similar similar = {.wanted = wanted};
    char *rest;
    for (char *word = strtok_r(words, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest))
        similar_look_at(&similar, word);
    if (similar.count == 0)
        return 0;
    *nearest = strdup(similar.words[0]);
    return *nearest ? 0 : -ENOMEM;
}
