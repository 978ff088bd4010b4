/* SPDX-License-Identifier: MIT */
#ifndef UTIL_WORD_H
#define UTIL_WORD_H

#include <stdbool.h>

/* NULL for "", and for NULL: what getters say where there is nothing. */
const char *null_if_empty(const char *text);

/* Whether a word stands in a line between blanks; "" does not. */
bool has_word(const char *line, const char *word);

bool begins_with(const char *text, const char *start);
/* Whether a text ends so, and has something before that. */
bool ends_with(const char *text, const char *end);

/* An ASCII letter without its case, any other byte as it is: the locale must not matter. */
int fold_letter(char c);

/* As begins_with(), without the case of ASCII letters. */
bool begins_folded(const char *text, const char *start);

/* As strcmp(3), without the case of ASCII letters. */
int compare_folded(const char *a, const char *b);

/*
 * How many bytes must be added, taken away, changed, or exchanged with their neighbour to make one
 * word of the other (the optimal string alignment distance). UINT_MAX where one has more than
 * WORD_COMPARED_MAX bytes: nobody mistypes those.
 */
unsigned word_distance(const char *word, const char *other);
#define WORD_COMPARED_MAX 63

#endif
