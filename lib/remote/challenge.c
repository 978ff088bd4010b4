/* SPDX-License-Identifier: MIT */
#include "remote/challenge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/strbuf.h"
#include "util/word.h"

void challenge_release(struct challenge *challenge) {
    free(challenge->realm);
    free(challenge->service);
    free(challenge->scope);
    *challenge = (struct challenge){0};
}

static size_t token_length(const char *text) {
    return strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static const char *skip_blanks(const char *text) {
    return text + strspn(text, " \t");
}

/* A token or quoted text; *at is moved behind it. NULL without memory. */
static char *read_value(const char **at) {
    struct strbuf value = {0};
    const char *text = *at;
    if (*text != '"') {
        size_t length = strcspn(text, ", \t");
        *at = text + length;
        strbuf_add_bytes(&value, text, length);
        return strbuf_take(&value);
    }
    for (text++; *text && *text != '"'; text++) {
        if (*text == '\\' && text[1])
            text++;
        strbuf_add_char(&value, *text);
    }
    *at = *text ? text + 1 : text;
    return strbuf_take(&value);
}

static void keep(char **field, char **value) {
    if (!*field)
        *field = TAKE_POINTER(*value);
}

/* Of a second Bearer nothing is taken: fields that are set stay. */
static int add_parameter(struct challenge *challenge, const char *name, size_t length,
                         const char **at) {
    _cleanup_free_ char *key = strndup(name, length), *value = read_value(at);
    if (!key || !value)
        return -ENOMEM;
    if (compare_folded(key, "realm") == 0)
        keep(&challenge->realm, &value);
    else if (compare_folded(key, "service") == 0)
        keep(&challenge->service, &value);
    else if (compare_folded(key, "scope") == 0)
        keep(&challenge->scope, &value);
    return 0;
}

static int begin_scheme(struct challenge *challenge, const char *name, size_t length,
                        bool *is_bearer) {
    _cleanup_free_ char *scheme = strndup(name, length);
    if (!scheme)
        return -ENOMEM;
    *is_bearer = compare_folded(scheme, "bearer") == 0 && !challenge->bearer;
    challenge->bearer |= *is_bearer;
    challenge->basic |= compare_folded(scheme, "basic") == 0;
    return 0;
}

int challenge_add(struct challenge *challenge, const char *header) {
    struct challenge ignored = {0};
    bool is_bearer = false;
    int r = 0;
    for (const char *at = header; r == 0;) {
        at += strspn(at, " \t,");
        size_t length = token_length(at);
        if (length == 0)
            break;
        const char *name = at, *behind = skip_blanks(at + length);
        if (*behind != '=') {
            at = behind;
            r = begin_scheme(challenge, name, length, &is_bearer);
            continue;
        }
        at = skip_blanks(behind + 1);
        r = add_parameter(is_bearer ? challenge : &ignored, name, length, &at);
    }
    challenge_release(&ignored);
    return r;
}
