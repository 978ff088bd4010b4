/* SPDX-License-Identifier: MIT */
/* What may be meant by a word that is not known. */
#ifndef SUGGEST_H
#define SUGGEST_H

#include <stddef.h>

/* Initialise word, zero the rest, and consider each word that there is. */
struct suggestion {
    const char *word;
    const char *best; /* NULL while none is like the word */
    size_t distance;
};

void suggestion_consider(struct suggestion *suggestion, const char *candidate);

#endif
