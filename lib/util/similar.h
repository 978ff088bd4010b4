/* SPDX-License-Identifier: MIT */
/* What somebody may have meant who wrote a word that is none. */
#ifndef UTIL_SIMILAR_H
#define UTIL_SIMILAR_H

#include <stddef.h>

#include "util/strbuf.h"

#define SIMILAR_MAX 6

/* Of many words the few that are most alike, the best first. */
struct similar {
    const char *wanted;
    const char *words[SIMILAR_MAX];
    unsigned distances[SIMILAR_MAX];
    size_t count;
};

void similar_look_at(struct similar *similar, const char *word);
/* "a, b"; nothing if there is none. */
void similar_add(const struct similar *similar, struct strbuf *text);

/* The most alike of a list, "a, b, c", which the caller frees; NULL if none is alike. Returns 0 or
 * -ENOMEM. */
int similar_in_list(const char *wanted, const char *list, char **nearest);

#endif
