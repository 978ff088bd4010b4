/* SPDX-License-Identifier: MIT */
#include "util/pattern.h"

#include <stdint.h>
#include <string.h>

/* Those that match return where the text goes on, or NULL; the others where the pattern does. */
static const char *match_group(const char *pattern, const char *text);

static bool is_in_class(const char *class, char byte) {
    unsigned char c = (unsigned char)byte;
    bool is_negated = class[1] == '^', is_listed = false;
    for (class += is_negated ? 2 : 1; *class != ']'; class ++) {
        unsigned char first = (unsigned char)class[0], last = first;
        if (class[1] == '-' && class[2] != ']') {
            last = (unsigned char)class[2];
            class += 2;
        }
        is_listed = is_listed || (c >= first && c <= last);
    }
    return is_listed != is_negated;
}

static const char *match_atom(const char *atom, const char *text) {
    if (*atom == '(')
        return match_group(atom + 1, text);
    bool is_good = *text && (*atom == '[' ? is_in_class(atom, *text) : *atom == *text);
    return is_good ? text + 1 : NULL;
}

static const char *skip_atom(const char *pattern) {
    if (*pattern == '[')
        return strchr(pattern, ']') + 1;
    if (*pattern++ != '(')
        return pattern;
    while (*pattern != ')')
        pattern = skip_atom(pattern);
    return pattern + 1;
}

static const char *read_number(const char *pattern, size_t *number) {
    for (*number = 0; *pattern >= '0' && *pattern <= '9'; pattern++)
        *number = *number * 10 + (size_t)(*pattern - '0');
    return pattern;
}

/* How often the atom before is there: once if nothing is said. */
static const char *read_count(const char *pattern, size_t *minimum, size_t *maximum) {
    *minimum = *maximum = 1;
    if (*pattern == '*') {
        *minimum = 0;
        *maximum = SIZE_MAX;
        return pattern + 1;
    }
    if (*pattern != '{')
        return pattern;
    pattern = read_number(pattern + 1, minimum);
    *maximum = *minimum;
    if (*pattern == ',')
        pattern = read_number(pattern + 1, maximum);
    return pattern + 1;
}

/* Up to the end of a group, an alternative or the whole pattern. */
static const char *match_sequence(const char *pattern, const char *text) {
    while (*pattern && !strchr("|)$", *pattern)) {
        const char *atom = pattern, *next = NULL;
        size_t minimum, maximum, count = 0;
        pattern = read_count(skip_atom(atom), &minimum, &maximum);
        while (count < maximum && (next = match_atom(atom, text))) {
            text = next;
            count++;
        }
        if (count < minimum)
            return NULL;
    }
    return text;
}

static const char *match_group(const char *pattern, const char *text) {
    for (;;) {
        const char *end = match_sequence(pattern, text);
        if (end)
            return end;
        while (*pattern && !strchr("|)$", *pattern))
            pattern = skip_atom(pattern);
        if (*pattern++ != '|')
            return NULL;
    }
}

bool pattern_matches(const char *pattern, const char *text) {
    const char *end = match_group(pattern + 1, text);
    return end && *end == '\0';
}
