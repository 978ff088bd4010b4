/* SPDX-License-Identifier: MIT */
/* JSON objects <-> objects with properties. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "vm/property.h"

/* ---- from JSON ---- */

static int wrong_type(const struct property *property, const char *prefix, const char *wanted,
                      vqemu_error **error) {
    return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s: not %s", prefix, property->key, wanted);
}

static int read_string(const struct property *property, void *object, const char *prefix,
                       json_t *json, vqemu_error **error) {
    if (!json_is_string(json))
        return wrong_type(property, prefix, "a string", error);
    return property_set_string(property, object, prefix, json_string_value(json), error);
}

static int read_number(const struct property *property, void *object, const char *prefix,
                       json_t *json, vqemu_error **error) {
    if (!json_is_integer(json) || json_integer_value(json) < 0)
        return wrong_type(property, prefix,
                          property->wanted ? property->wanted : "an integer, 0 or more", error);
    return property_set_number(property, object, prefix, (uint64_t)json_integer_value(json), error);
}

static int read_switch(const struct property *property, void *object, const char *prefix,
                       json_t *json, vqemu_error **error) {
    if (!json_is_boolean(json))
        return wrong_type(property, prefix, "true or false", error);
    *(enum toggle *)property_field(property, object) = toggle(json_is_true(json));
    return 0;
}

static int read_strings(const struct property *property, void *object, const char *prefix,
                        json_t *json, vqemu_error **error) {
    if (!json_is_array(json))
        return wrong_type(property, prefix, "an array of strings", error);
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *string = json_array_get(json, i);
        if (!json_is_string(string))
            return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s[%zu]: not a string", prefix,
                             property->key, i);
        int r = property_add_string(property, object, prefix, json_string_value(string), error);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_switches(const struct property *property, void *object, const char *prefix,
                         json_t *json, vqemu_error **error) {
    if (!json_is_object(json))
        return wrong_type(property, prefix, "an object of names that are true or false", error);
    const char *name;
    json_t *on;
    json_object_foreach(json, name, on) {
        if (!json_is_boolean(on))
            return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s.%.200s: not true or false", prefix,
                             property->key, name);
        int r = property_set_switch(property, object, prefix, name, json_is_true(on), error);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_objects(const struct property *property, void *object, const char *prefix,
                        json_t *json, vqemu_error **error) {
    if (!json_is_array(json))
        return wrong_type(property, prefix, "an array of objects", error);
    for (size_t i = 0; i < json_array_size(json); i++) {
        _cleanup_free_ char *inner = format_string("%s%s[%zu].", prefix, property->key, i);
        void *element = object_list_add(property_field(property, object), property->element);
        if (!inner || !element)
            return error_no_memory(error);
        if (!json_is_object(json_array_get(json, i)))
            return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s[%zu]: not an object", prefix,
                             property->key, i);
        int r = object_from_json(property->element, element, inner, json_array_get(json, i), error);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_property(const struct property *property, void *object, const char *prefix,
                         json_t *json, vqemu_error **error) {
    switch (property->kind) {
    case PROPERTY_NUMBER:
        return read_number(property, object, prefix, json, error);
    case PROPERTY_SWITCH:
        return read_switch(property, object, prefix, json, error);
    case PROPERTY_STRINGS:
        return read_strings(property, object, prefix, json, error);
    case PROPERTY_SWITCHES:
        return read_switches(property, object, prefix, json, error);
    case PROPERTY_OBJECTS:
        return read_objects(property, object, prefix, json, error);
    case PROPERTY_STRING:
    case PROPERTY_PATH:
    case PROPERTY_SOCKET:
    case PROPERTY_CHOICE:
        break;
    }
    return read_string(property, object, prefix, json, error);
}

/* There are many keys: name those that begin alike, since it is mostly a letter that is wrong. */
static int unknown_key(const struct object_type *type, const char *prefix, const char *key,
                       vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf alike = {0};
    for (size_t i = 0; i < type->count; i++)
        if (type->properties[i].key[0] == *key)
            strbuf_addf(&alike, "%s%s", alike.length ? ", " : "; there are ",
                        type->properties[i].key);
    if (alike.failed)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_INVALID, 0, "%s%.200s: unknown key of a %s%s", prefix, key,
                     type->noun, alike.text ? alike.text : "");
}

static int read_key(const struct object_type *type, void *object, const char *prefix,
                    const char *key, json_t *json, vqemu_error **error) {
    for (size_t i = 0; i < type->count; i++)
        if (strcmp(type->properties[i].key, key) == 0)
            return read_property(&type->properties[i], object, prefix, json, error);
    return unknown_key(type, prefix, key, error);
}

int object_from_json(const struct object_type *type, void *object, const char *prefix, json_t *json,
                     vqemu_error **error) {
    for (size_t i = 0; i < type->count; i++)
        if (type->properties[i].required && !json_object_get(json, type->properties[i].key))
            return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s: missing", prefix,
                             type->properties[i].key);
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value) {
        int r = read_key(type, object, prefix, key, value, error);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- to JSON ---- */

/* jansson refuses text that is not UTF-8, which is not the same as having no memory. */
static json_t *text(const char *string, bool *is_text) {
    if (!utf8_is_valid(string)) {
        *is_text = false;
        return NULL;
    }
    return json_string(string);
}

static json_t *write_strings(const struct strv *strings, bool *is_text) {
    json_t *array = json_array();
    for (size_t i = 0; array && i < strings->count; i++) {
        if (json_array_append_new(array, text(strings->items[i], is_text)) < 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *write_switches(const struct strv *switches) {
    json_t *object = json_object();
    for (size_t i = 0; object && i < switches->count; i++) {
        const char *name = switches->items[i], *sign = strchr(name, '=');
        _cleanup_free_ char *key = strndup(name, (size_t)(sign - name));
        if (!key || json_object_set_new(object, key, json_boolean(strcmp(sign, "=on") == 0)) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static int write_objects(const struct object_list *list, const struct object_type *element,
                         json_t **json, vqemu_error **error) {
    _cleanup_json_ json_t *array = json_array();
    for (size_t i = 0; array && i < list->count; i++) {
        json_t *object;
        int r = object_to_json(element, list->items[i], &object, error);
        if (r < 0)
            return r;
        if (json_array_append_new(array, object) < 0)
            return error_no_memory(error);
    }
    *json = TAKE_POINTER(array);
    return 0;
}

/* Whether a property has a value of its own. */
static bool is_set(const struct property *property, const void *object) {
    const void *field = property_value(property, object);
    switch (property->kind) {
    case PROPERTY_NUMBER:
        return *(const uint64_t *)field != 0;
    case PROPERTY_SWITCH:
        return *(const enum toggle *)field != TOGGLE_DEFAULT;
    case PROPERTY_STRINGS:
    case PROPERTY_SWITCHES:
        return ((const struct strv *)field)->count > 0;
    case PROPERTY_OBJECTS:
        return ((const struct object_list *)field)->count > 0;
    case PROPERTY_STRING:
    case PROPERTY_PATH:
    case PROPERTY_SOCKET:
    case PROPERTY_CHOICE:
        break;
    }
    return *(char *const *)field;
}

static int write_property(const struct property *property, const void *object, json_t **json,
                          bool *is_text, vqemu_error **error) {
    const void *field = property_value(property, object);
    switch (property->kind) {
    case PROPERTY_NUMBER:
        *json = json_integer((json_int_t) * (const uint64_t *)field);
        return 0;
    case PROPERTY_SWITCH:
        *json = json_boolean(*(const enum toggle *)field == TOGGLE_ON);
        return 0;
    case PROPERTY_STRINGS:
        *json = write_strings(field, is_text);
        return 0;
    case PROPERTY_SWITCHES:
        *json = write_switches(field);
        return 0;
    case PROPERTY_OBJECTS:
        return write_objects(field, property->element, json, error);
    case PROPERTY_STRING:
    case PROPERTY_PATH:
    case PROPERTY_SOCKET:
    case PROPERTY_CHOICE:
        break;
    }
    *json = text(*(char *const *)field, is_text);
    return 0;
}

int object_to_json(const struct object_type *type, const void *object, json_t **json,
                   vqemu_error **error) {
    _cleanup_json_ json_t *written = json_object();
    for (size_t i = 0; written && i < type->count; i++) {
        const struct property *property = &type->properties[i];
        json_t *value = NULL;
        bool is_text = true;
        if (!is_set(property, object))
            continue;
        int r = write_property(property, object, &value, &is_text, error);
        if (r < 0)
            return r;
        if (!is_text)
            return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                             "%s of a %s is not UTF-8, which JSON cannot carry", property->key,
                             type->noun);
        if (json_object_set_new(written, property->key, value) < 0)
            return error_no_memory(error);
    }
    *json = TAKE_POINTER(written);
    return *json ? 0 : error_no_memory(error);
}
