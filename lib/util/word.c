/* SPDX-License-Identifier: MIT */
#include "util/word.h"

#include <string.h>

bool has_word(const char *line, const char *word) {
    size_t length = strlen(word);
    if (length == 0)
        return false;
    for (const char *at = line; (at = strstr(at, word)); at++)
        if ((at == line || strchr(" \t", at[-1])) && strchr(" \t\n", at[length]))
            return true;
    return false;
}
