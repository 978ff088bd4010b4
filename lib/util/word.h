/* SPDX-License-Identifier: MIT */
#ifndef UTIL_WORD_H
#define UTIL_WORD_H

#include <stdbool.h>

/* Whether a word stands in a line between blanks; "" does not. */
bool has_word(const char *line, const char *word);

#endif
