/* SPDX-License-Identifier: MIT */
#include "parse.h"

#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "text.h"

static const int64_t mib_per_gib = 1024;

/* Not strtoll(), which accepts white space and signs. max is far below INT64_MAX. */
static bool take_number(const char **text, int64_t max, int64_t *number) {
    const char *start = *text;
    *number = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        *number = *number * 10 + (**text - '0');
        if (*number > max)
            return false;
    }
    return *text > start;
}

bool parse_number(const char *text, int64_t max, int64_t *number) {
    return take_number(&text, max, number) && *text == '\0';
}

bool parse_memory(const char *text, int64_t *mib) {
    if (!take_number(&text, INT64_MAX / mib_per_gib, mib))
        return false;
    if (strcmp(text, "G") == 0)
        *mib *= mib_per_gib;
    else if (*text != '\0' && strcmp(text, "M") != 0)
        return false;
    return true;
}

bool parse_bytes(const char *text, int64_t *bytes) {
    static const char suffixes[] = "KMG";
    if (!take_number(&text, INT64_MAX >> 30, bytes))
        return false;
    if (*text == '\0')
        return true;
    const char *suffix = strchr(suffixes, *text);
    if (!suffix || text[1] != '\0')
        return false;
    *bytes <<= 10 * (suffix - suffixes + 1);
    return true;
}

char *absolute_path(const char *path) {
    if (path[0] == '/' || path[0] == '\0')
        return format_text("%s", path);
    _cleanup_free_ char *directory = getcwd(NULL, 0);
    if (!directory)
        return NULL;
    return format_text("%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path);
}
