/* SPDX-License-Identifier: MIT */
#include "remote/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "util/utf8.h"
#include "util/word.h"

#define WORDS_MAX 200

void answer_release(struct answer *answer) {
    strv_release(&answer->headers);
    strbuf_release(&answer->body);
    *answer = (struct answer){0};
}

bool answer_is_good(const struct answer *answer) {
    return answer->status >= 200 && answer->status < 300;
}

static const char *value_of(const char *header, const char *name) {
    size_t length = strlen(name);
    if (!begins_folded(header, name) || header[length] != ':')
        return NULL;
    return header + length + 1 + strspn(header + length + 1, " \t");
}

const char *answer_header(const struct answer *answer, const char *name, size_t index) {
    for (size_t i = 0; i < answer->headers.count; i++) {
        const char *value = value_of(answer->headers.items[i], name);
        if (value && index-- == 0)
            return value;
    }
    return NULL;
}

bool answer_is_page(const struct answer *answer) {
    const char *type = answer_header(answer, "Content-Type", 0);
    return type && begins_folded(type, "text/html");
}

static void add_words(struct strbuf *words, const json_t *object) {
    const char *code = json_text(object, "code"), *message = json_text(object, "message");
    const char *details = json_text(object, "details"); /* of realms */
    strbuf_addf(words, "%s%s%s%s", words->length > 0 ? "; " : "", code,
                *code && *message ? ": " : "", *message ? message : details);
}

/* Cut between two characters. */
static void cut(char *text) {
    size_t length = 0;
    while (text[length]) {
        int size = utf8_sequence_length(text + length);
        size_t next = length + (size_t)(size > 0 ? size : 1);
        if (next > WORDS_MAX)
            break;
        length = next;
    }
    text[length] = '\0';
}

char *answer_words(const struct answer *answer) {
    _cleanup_json_ json_t *object = NULL;
    struct strbuf words = {0};
    const char *text = answer->body.text ? answer->body.text : "";
    if (json_parse_object(text, answer->body.length, "the answer", &object, NULL) == 0) {
        size_t i;
        json_t *entry, *errors = json_object_get(object, "errors");
        json_array_foreach(errors, i, entry) {
            if (i < 3)
                add_words(&words, entry);
        }
        if (!errors)
            add_words(&words, object);
    }
    _cleanup_free_ char *raw = strbuf_take(&words);
    char *printable = raw ? make_printable(raw) : NULL;
    if (printable)
        cut(printable);
    return printable;
}
