/* SPDX-License-Identifier: MIT */
#include "remote/link.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/word.h"

/* The end of a parameter: quotes hide what separates. */
static const char *end_of_parameter(const char *at) {
    for (bool quoted = false; *at && (quoted || !strchr(";,", *at)); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (quoted && *at == '\\' && at[1])
            at++;
    }
    return at;
}

/* Whether a parameter, from at to end, is rel=next; there can be several words in quotes. */
static int is_next(const char *at, const char *end) {
    _cleanup_free_ char *text = strndup(at, (size_t)(end - at));
    if (!text)
        return -ENOMEM;
    for (char *c = text; *c; c++)
        *c = *c == '"' || *c == '\t' ? ' ' : (char)fold_letter(*c);
    char *name = text + strspn(text, " ");
    if (!begins_with(name, "rel"))
        return 0;
    name += strlen("rel");
    name += strspn(name, " ");
    return *name == '=' && has_word(name + 1, "next");
}

int link_find_next(const char *header, char **target) {
    *target = NULL;
    for (const char *at = header; (at = strchr(at, '<'));) {
        const char *start = at + 1, *close = strchr(start, '>');
        if (!close)
            return 0;
        for (at = close + 1; *at && *at != ',';) {
            const char *end = end_of_parameter(at + (*at == ';'));
            int r = is_next(at + (*at == ';'), end);
            if (r < 0)
                return r;
            if (r > 0) {
                *target = strndup(start, (size_t)(close - start));
                return *target ? 0 : -ENOMEM;
            }
            at = end;
        }
    }
    return 0;
}
