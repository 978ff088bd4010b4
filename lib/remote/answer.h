/* SPDX-License-Identifier: MIT */
/* What a server has answered. */
#ifndef LIB_ANSWER_H
#define LIB_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/strbuf.h"
#include "util/strv.h"

struct answer {
    long status;         /* 0 while there is none */
    struct strv headers; /* "Name: value" */
    size_t header_bytes;
    struct strbuf body;
    int64_t retry_after; /* seconds; 0 if it does not say */
};

void answer_release(struct answer *answer);

/* The value of the index-th header of a name; NULL beyond the last. Borrowed. */
const char *answer_header(const struct answer *answer, const char *name, size_t index);

bool answer_is_good(const struct answer *answer); /* 200 to 299 */
bool answer_is_page(const struct answer *answer); /* of HTML, for people */

/* The registry's own words, or "" if the body has none; one printable line of at most 200 bytes.
 * NULL without memory. Owned by the caller. */
char *answer_words(const struct answer *answer);

#endif
