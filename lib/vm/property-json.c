/* SPDX-License-Identifier: MIT */
/* JSON objects <-> objects with properties. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "vm/property.h"

/* ---- from JSON ---- */

/* Where a reader is: path is the key of what it reads, "disks[0].cache". */
struct reader {
    struct strbuf path;
    bool merge; /* into values that are there already */
    vqemu_error **error;
};

static int read_object(struct reader *reader, const struct object_type *type, void *object,
                       json_t *json);

/* Go down; strbuf_truncate(&reader->path, length) comes back. */
static int enter_key(struct reader *reader, const char *key) {
    strbuf_addf(&reader->path, "%s%s", reader->path.length > 0 ? "." : "", key);
    return reader->path.failed ? error_no_memory(reader->error) : 0;
}

static int enter_index(struct reader *reader, size_t index) {
    strbuf_addf(&reader->path, "[%zu]", index);
    return reader->path.failed ? error_no_memory(reader->error) : 0;
}

/* No array or object where one is needed. */
static int wrong_type(struct reader *reader, const char *wanted) {
    int r =
        error_set(reader->error, VQEMU_ERR_MALFORMED, 0, "%s: not %s", reader->path.text, wanted);
    return error_because(r, reader->error, "wrong-type", VQEMU_DETAIL_KEY, reader->path.text, NULL);
}

/* The value itself is of another kind, as it can be in a setter. */
static int wrong_kind(struct reader *reader, const char *wanted) {
    int r = error_set(reader->error, VQEMU_ERR_INVALID, 0, "%s: not %s", reader->path.text, wanted);
    return error_because(r, reader->error, "wrong-kind", VQEMU_DETAIL_KEY, reader->path.text, NULL);
}

static int read_string(struct reader *reader, const struct property *property, void *object,
                       json_t *json) {
    if (!json_is_string(json))
        return wrong_kind(reader, "a string");
    return property_set_string(property, object, reader->path.text, json_string_value(json),
                               reader->error);
}

/* A negative one is of the right type, and never in range. */
static int read_number(struct reader *reader, const struct property *property, void *object,
                       json_t *json) {
    if (!json_is_integer(json))
        return wrong_kind(reader, property->wanted ? property->wanted : "an integer, 0 or more");
    json_int_t number = json_integer_value(json);
    if (number >= 0)
        return property_set_number(property, object, reader->path.text, (uint64_t)number,
                                   reader->error);
    char text[24];
    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, number);
    int r = error_set(reader->error, VQEMU_ERR_INVALID, 0, "%s: %s is less than 0",
                      reader->path.text, text);
    return error_because(r, reader->error, "out-of-range", VQEMU_DETAIL_KEY, reader->path.text,
                         VQEMU_DETAIL_VALUE, text, NULL);
}

static int read_switch(struct reader *reader, const struct property *property, void *object,
                       json_t *json) {
    if (!json_is_boolean(json))
        return wrong_kind(reader, "true or false");
    *(enum toggle *)property_field(property, object) = json_is_true(json) ? TOGGLE_ON : TOGGLE_OFF;
    return 0;
}

/* Whether a JSON array may become a list, whose old elements go. */
static int begin_list(struct reader *reader, const struct property *property, void *object,
                      json_t *json, const char *wanted) {
    if (!json_is_array(json))
        return wrong_type(reader, wanted);
    int r = property_unset(property, object, reader->path.text, reader->error);
    size_t count = json_array_size(json); /* before any of them is read */
    return r < 0 || count == 0 ? r
                               : property_check_room(reader->path.text, count - 1, reader->error);
}

static int read_strings(struct reader *reader, const struct property *property, void *object,
                        json_t *json) {
    size_t length = reader->path.length;
    int r = begin_list(reader, property, object, json, "an array of strings");
    for (size_t i = 0; r == 0 && i < json_array_size(json); i++) {
        const json_t *string = json_array_get(json, i);
        r = enter_index(reader, i);
        if (r == 0 && !json_is_string(string))
            r = wrong_kind(reader, "a string");
        if (r == 0)
            r = property_set_element(property, object, reader->path.text, i,
                                     json_string_value(string), reader->error);
        strbuf_truncate(&reader->path, length);
    }
    return r;
}

static int read_value(struct reader *reader, const struct property *property, void *object,
                      const char *name, json_t *json) {
    struct value value = {.kind = VALUE_SWITCH, .on = json_is_true(json)};
    bool is_none = (json_is_null(json) && reader->merge) ||
                   (json_is_string(json) && json_string_length(json) == 0);
    if (json_is_string(json))
        value = (struct value){.kind = VALUE_TEXT, .text = json_string_value(json)};
    else if (json_is_integer(json) && json_integer_value(json) >= 0)
        value = (struct value){.kind = VALUE_NUMBER, .number = (uint64_t)json_integer_value(json)};
    else if (!json_is_boolean(json) && !is_none)
        return wrong_kind(reader, property->value_wanted
                                      ? property->value_wanted
                                      : "true, false, an integer from 0 up, or text");
    return property_set_value(property, object, reader->path.text, name, is_none ? NULL : &value,
                              reader->error);
}

static int read_values(struct reader *reader, const struct property *property, void *object,
                       json_t *json) {
    size_t length = reader->path.length;
    const char *name;
    json_t *value;
    if (!json_is_object(json))
        return wrong_type(reader, "an object of names and values");
    if (json_object_size(json) > LIST_MAX) /* before any of them is read */
        return property_check_room(reader->path.text, json_object_size(json), reader->error);
    json_object_foreach(json, name, value) {
        int r = enter_key(reader, name);
        if (r == 0)
            r = read_value(reader, property, object, name, value);
        if (r < 0)
            return r;
        strbuf_truncate(&reader->path, length);
    }
    return 0;
}

static int read_objects(struct reader *reader, const struct property *property, void *object,
                        json_t *json) {
    size_t length = reader->path.length;
    bool merge = reader->merge;
    int r = begin_list(reader, property, object, json, "an array of objects");
    reader->merge = false; /* elements are new */
    for (size_t i = 0; r == 0 && i < json_array_size(json); i++) {
        json_t *inner = json_array_get(json, i);
        void *element = object_list_add(property_field(property, object), property->element);
        r = element ? enter_index(reader, i) : error_no_memory(reader->error);
        if (r == 0 && !json_is_object(inner))
            r = wrong_type(reader, "an object");
        if (r == 0)
            r = read_object(reader, property->element, element, inner);
        strbuf_truncate(&reader->path, length);
    }
    reader->merge = merge;
    return r;
}

static int read_property(struct reader *reader, const struct property *property, void *object,
                         json_t *json) {
    if (reader->merge && json_is_null(json))
        return property_unset(property, object, reader->path.text, reader->error);
    switch (property->kind) {
    case PROPERTY_NUMBER:
        return read_number(reader, property, object, json);
    case PROPERTY_SWITCH:
        return read_switch(reader, property, object, json);
    case PROPERTY_STRINGS:
        return read_strings(reader, property, object, json);
    case PROPERTY_VALUES:
        return read_values(reader, property, object, json);
    case PROPERTY_OBJECTS:
        return read_objects(reader, property, object, json);
    case PROPERTY_STRING:
    case PROPERTY_PATH:
    case PROPERTY_SOCKET:
    case PROPERTY_CHOICE:
        break;
    }
    return read_string(reader, property, object, json);
}

static int check_required(struct reader *reader, const struct object_type *type, json_t *json) {
    for (size_t i = 0; !reader->merge && i < type->count; i++) {
        const struct property *property = &type->properties[i];
        if (!property->required || json_object_get(json, property->key))
            continue;
        int r = enter_key(reader, property->key);
        if (r < 0)
            return r;
        r = error_set(reader->error, VQEMU_ERR_INVALID, 0, "%s: missing", reader->path.text);
        return error_because(r, reader->error, "missing-value", VQEMU_DETAIL_KEY, reader->path.text,
                             NULL);
    }
    return 0;
}

static int read_object(struct reader *reader, const struct object_type *type, void *object,
                       json_t *json) {
    size_t length = reader->path.length;
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value) {
        const struct property *property = property_find(type, key, strlen(key));
        int r = enter_key(reader, key);
        if (r == 0)
            r = property
                    ? read_property(reader, property, object, value)
                    : property_unknown(type, reader->path.text, reader->path.length - strlen(key),
                                       strlen(key), true, reader->error);
        if (r < 0)
            return r;
        strbuf_truncate(&reader->path, length);
    }
    /* Last: "pth" is a slip, not a path that is missing. */
    return check_required(reader, type, json);
}

int object_from_json(const struct object_type *type, void *object, bool merge, json_t *json,
                     vqemu_error **error) {
    struct reader reader = {.merge = merge, .error = error};
    int r = read_object(&reader, type, object, json);
    strbuf_release(&reader.path);
    return r;
}

/* ---- to JSON ---- */

struct writer {
    struct strbuf path;
    vqemu_error **error;
};

static int write_object(struct writer *writer, const struct object_type *type, const void *object,
                        json_t **json);

/* jansson refuses text that is not UTF-8, which is not the same as having no memory. */
static int write_text(struct writer *writer, const char *text, json_t **json) {
    if (!utf8_is_valid(text)) {
        if (writer->path.failed)
            return error_no_memory(writer->error);
        int r = error_set(writer->error, VQEMU_ERR_UNSUPPORTED, 0,
                          "%s: it is not UTF-8, which JSON cannot carry", writer->path.text);
        return error_because(r, writer->error, "not-utf-8", VQEMU_DETAIL_KEY, writer->path.text,
                             NULL);
    }
    *json = json_string(text);
    return *json ? 0 : error_no_memory(writer->error);
}

static int write_strings(struct writer *writer, const struct strv *strings, json_t **json) {
    _cleanup_json_ json_t *array = json_array();
    size_t length = writer->path.length;
    for (size_t i = 0; array && i < strings->count; i++) {
        json_t *string;
        strbuf_addf(&writer->path, "[%zu]", i);
        int r = write_text(writer, strings->items[i], &string);
        if (r < 0)
            return r;
        if (json_array_append_new(array, string) < 0)
            return error_no_memory(writer->error);
        strbuf_truncate(&writer->path, length);
    }
    *json = TAKE_POINTER(array);
    return *json ? 0 : error_no_memory(writer->error);
}

static int write_value(struct writer *writer, const struct value *value, json_t **json) {
    if (value->kind == VALUE_TEXT)
        return write_text(writer, value->text, json);
    *json = value->kind == VALUE_SWITCH ? json_boolean(value->on)
                                        : json_integer((json_int_t)value->number);
    return *json ? 0 : error_no_memory(writer->error);
}

static int write_values(struct writer *writer, const struct named_values *values, json_t **json) {
    _cleanup_json_ json_t *object = json_object();
    size_t length = writer->path.length;
    for (size_t i = 0; object && i < values->count; i++) {
        const struct named_value *item = &values->items[i];
        json_t *value;
        strbuf_addf(&writer->path, ".%s", item->name);
        int r = write_value(writer, &item->value, &value);
        if (r < 0)
            return r;
        if (json_object_set_new(object, item->name, value) < 0)
            return error_no_memory(writer->error);
        strbuf_truncate(&writer->path, length);
    }
    *json = TAKE_POINTER(object);
    return *json ? 0 : error_no_memory(writer->error);
}

static int write_objects(struct writer *writer, const struct object_list *list,
                         const struct object_type *element, json_t **json) {
    _cleanup_json_ json_t *array = json_array();
    size_t length = writer->path.length;
    for (size_t i = 0; array && i < list->count; i++) {
        json_t *object;
        strbuf_addf(&writer->path, "[%zu].", i);
        int r = write_object(writer, element, list->items[i], &object);
        if (r < 0)
            return r;
        if (json_array_append_new(array, object) < 0)
            return error_no_memory(writer->error);
        strbuf_truncate(&writer->path, length);
    }
    *json = TAKE_POINTER(array);
    return *json ? 0 : error_no_memory(writer->error);
}

static int write_property(struct writer *writer, const struct property *property,
                          const void *object, json_t **json) {
    const void *field = property_value(property, object);
    switch (property->kind) {
    case PROPERTY_NUMBER:
        *json = json_integer((json_int_t) * (const uint64_t *)field);
        return *json ? 0 : error_no_memory(writer->error);
    case PROPERTY_SWITCH:
        *json = json_boolean(*(const enum toggle *)field == TOGGLE_ON);
        return 0;
    case PROPERTY_STRINGS:
        return write_strings(writer, field, json);
    case PROPERTY_VALUES:
        return write_values(writer, field, json);
    case PROPERTY_OBJECTS:
        return write_objects(writer, field, property->element, json);
    case PROPERTY_STRING:
    case PROPERTY_PATH:
    case PROPERTY_SOCKET:
    case PROPERTY_CHOICE:
        break;
    }
    return write_text(writer, *(char *const *)field, json);
}

static int write_object(struct writer *writer, const struct object_type *type, const void *object,
                        json_t **json) {
    _cleanup_json_ json_t *written = json_object();
    size_t length = writer->path.length;
    for (size_t i = 0; written && i < type->count; i++) {
        const struct property *property = &type->properties[i];
        json_t *value;
        if (!property_is_set(property, object))
            continue;
        strbuf_add(&writer->path, property->key);
        int r = write_property(writer, property, object, &value);
        if (r < 0)
            return r;
        if (json_object_set_new(written, property->key, value) < 0)
            return error_no_memory(writer->error);
        strbuf_truncate(&writer->path, length);
    }
    *json = TAKE_POINTER(written);
    return *json ? 0 : error_no_memory(writer->error);
}

int object_to_json(const struct object_type *type, const void *object, json_t **json,
                   vqemu_error **error) {
    struct writer writer = {.error = error};
    _cleanup_json_ json_t *written = NULL;
    int r = write_object(&writer, type, object, &written);
    if (r == 0 && writer.path.failed)
        r = error_no_memory(error);
    *json = r == 0 ? TAKE_POINTER(written) : NULL;
    strbuf_release(&writer.path);
    return r;
}
