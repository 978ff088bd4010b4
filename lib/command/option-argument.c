/* SPDX-License-Identifier: MIT */
#include "command/option-argument.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "command/option-text.h"

/* ---- key=value ---- */

/* Up to the comma that ends it, of which two stand for one. Returns where that is. */
static const char *take_part(const char *text, struct strbuf *part) {
    while (*text && (*text != ',' || text[1] == ',')) {
        strbuf_add_char(part, *text);
        text += *text == ',' ? 2 : 1;
    }
    return text;
}

/* "key=value", or "key", which is switched on. */
static void add_setting(struct options *options, const char *part) {
    const char *equals = strchr(part, '=');
    if (!equals) {
        option_switch(options, arena_text(&options->texts, part), true);
        return;
    }
    const char *name = arena_bytes(&options->texts, part, (size_t)(equals - part));
    option_text(options, name, equals + 1);
}

static void add_text(struct options *options, enum option_name name, const char *text,
                     struct origin origin) {
    const char *rest = text;
    bool is_first = true;
    do {
        _cleanup_strbuf_ struct strbuf part = {0};
        rest = take_part(rest, &part);
        const char *word = part.text ? part.text : "";
        bool is_head = is_first && !strchr(word, '=');
        options->failed = options->failed || part.failed;
        if (is_first)
            option_begin(options, name, is_head ? word : NULL, origin);
        if (!is_head)
            add_setting(options, word);
        is_first = false;
    } while (*rest++ == ',');
}

/* ---- JSON ---- */

static void add_members(struct options *options, const char *prefix, const json_t *object);

/* What is within an object or array has a dot before it, as without JSON: "file.driver". */
static void add_member(struct options *options, const char *prefix, const char *key,
                       const json_t *value) {
    const char *name = arena_join(&options->texts, prefix, key, NULL);
    if (json_is_string(value)) {
        option_text(options, name, json_string_value(value));
    } else if (json_is_object(value) || json_is_array(value)) {
        add_members(options, arena_join(&options->texts, name, ".", NULL), value);
    } else if (json_is_boolean(value)) {
        option_switch(options, name, json_is_true(value));
    } else if (json_is_null(value)) {
        option_add(options, name, SETTING_NULL, 0);
    } else { /* it is not asked which */
        option_number(options, name, (uint64_t)json_integer_value(value));
    }
}

static void add_members(struct options *options, const char *prefix, const json_t *object) {
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_object(object)) {
        json_object_foreach((json_t *)(uintptr_t)object, key, value)
            add_member(options, prefix, key, value);
        return;
    }
    json_array_foreach(object, i, value) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        add_member(options, prefix, number, value);
    }
}

static void add_json(struct options *options, enum option_name name, const char *text,
                     struct origin origin) {
    _cleanup_json_ json_t *object = NULL;
    if (json_parse_object(text, strlen(text), "", &object, NULL) < 0)
        return; /* QEMU says what is wrong with it */
    option_begin(options, name, NULL, origin);
    option_typed(options);
    add_members(options, "", object);
}

void argument_options(const struct strv *arguments, struct options *options) {
    for (size_t i = 0; i + 1 < arguments->count; i++) {
        const char *word = option_word(arguments->items[i]), *value = arguments->items[i + 1];
        if (!word || option_has_value(word) != 1)
            continue;
        enum option_name name = option_find_name(word);
        const struct origin origin = origin_in("extra_args", i + 1, NULL, NULL);
        i++;
        if (name == OPTION_COUNT)
            continue;
        if (*value == '{')
            add_json(options, name, value, origin);
        else
            add_text(options, name, value, origin);
    }
}
