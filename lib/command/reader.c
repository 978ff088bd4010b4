/* SPDX-License-Identifier: MIT */
#include "command/reader.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

int reader_fault(struct reader *reader, const char *key, const char *wanted) {
    if (reader->code == 0) {
        reader->code = error_set(reader->error, VQEMU_ERR_MALFORMED, 0, "%s: %s: %s",
                                 reader->source, key, wanted);
        error_because(reader->code, reader->error, NULL, VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_PATH,
                      reader->source, NULL);
    }
    return reader->code;
}

void reader_unknown_word(struct reader *reader, const char *key, const char *word) {
    if (reader->code < 0)
        return;
    reader->code =
        error_set(reader->error, VQEMU_ERR_UNSUPPORTED, 0,
                  "%s: %s: this version of the library does not know \"%.200s\"; a later "
                  "one may have written it",
                  reader->source, key, word);
    error_because(reader->code, reader->error, "newer-value", VQEMU_DETAIL_KEY, key,
                  VQEMU_DETAIL_VALUE, word, VQEMU_DETAIL_PATH, reader->source, NULL);
}

void reader_no_memory(struct reader *reader) {
    if (reader->code == 0)
        reader->code = error_no_memory(reader->error);
}

void reader_only(struct reader *reader, const char *key, json_t *object, ...) {
    const char *member;
    json_t *value;
    json_object_foreach(object, member, value) {
        bool is_known = false;
        va_list names;
        va_start(names, object);
        for (const char *name; (name = va_arg(names, const char *));)
            is_known = is_known || strcmp(name, member) == 0;
        va_end(names);
        if (is_known || reader->code < 0)
            continue;
        reader->code =
            error_set(reader->error, VQEMU_ERR_UNKNOWN_KEY, 0, "%s: %s%s%s: there is no such key",
                      reader->source, key, *key ? "." : "", member);
        error_because(reader->code, reader->error, NULL, VQEMU_DETAIL_KEY, member,
                      VQEMU_DETAIL_PATH, reader->source, NULL);
    }
}

json_t *reader_object(struct reader *reader, json_t *object, const char *key, const char *where) {
    json_t *member = json_object_get(object, key);
    if (!json_is_object(member))
        reader_fault(reader, where, "an object is missing");
    return json_is_object(member) ? member : NULL;
}

json_t *reader_array(struct reader *reader, json_t *object, const char *key, const char *where) {
    json_t *member = json_object_get(object, key);
    if (!json_is_array(member))
        reader_fault(reader, where, "an array is missing");
    return json_is_array(member) ? member : NULL;
}

static bool is_good(const char *text, enum reader_kind kind) {
    return text && (kind == READ_TEXT || *text == '/');
}

const char *reader_text(struct reader *reader, json_t *object, const char *key, const char *where,
                        enum reader_kind kind) {
    json_t *member = json_object_get(object, key);
    if (!member && kind == READ_OPTIONAL)
        return NULL;
    if (is_good(json_string_value(member), kind))
        return json_string_value(member);
    reader_fault(reader, where,
                 kind == READ_TEXT ? "a string is missing" : "an absolute path is missing");
    return NULL;
}

char *reader_copy(struct reader *reader, json_t *object, const char *key, const char *where,
                  enum reader_kind kind) {
    const char *text = reader_text(reader, object, key, where, kind);
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        reader_no_memory(reader);
    return copy;
}

void reader_strings(struct reader *reader, json_t *object, const char *key, const char *where,
                    enum reader_kind kind, struct strv *strings) {
    json_t *array = reader_array(reader, object, key, where), *element;
    size_t index;
    json_array_foreach(array, index, element) {
        if (is_good(json_string_value(element), kind))
            strv_add(strings, json_string_value(element));
        else
            reader_fault(reader, where, "an element is no string, or no absolute path");
    }
    if (strings->failed)
        reader_no_memory(reader);
}
