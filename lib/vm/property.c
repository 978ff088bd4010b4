/* SPDX-License-Identifier: MIT */
#include "vm/property.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/pattern.h"

/* QEMU splits -cpu at commas, and knows no escape there. */
#define VALUE_PATTERN "^[^,\t\n\v\f\r]{1,255}$"

/* ---- what a string may be ---- */

static int check_length(const struct property *property, const char *key, const char *value,
                        vqemu_error **error) {
    uint64_t maximum = property_longest(property);
    if (maximum == 0 || strlen(value) <= maximum)
        return 0;
    int r = error_set(
        error, VQEMU_ERR_INVALID, 0, "%s: \"%.200s\" has %zu bytes; it can have %" PRIu64 "%s", key,
        value, strlen(value), maximum,
        property->kind == PROPERTY_SOCKET ? ", as the path of every Unix socket" : "");
    return error_because(r, error, "too-long", VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE, value,
                         NULL);
}

static int check_pattern(const char *pattern, const char *wanted, const char *key,
                         const char *value, vqemu_error **error) {
    if (!pattern || pattern_matches(pattern, value))
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: \"%.200s\" is not %s", key, value, wanted);
    return error_because(r, error, NULL, VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE, value, NULL);
}

static int refuse_path(const char *key, const char *path, const char *reason, const char *text,
                       vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: \"%.200s\" %s", key, path, text);
    return error_because(r, error, reason, VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE, path, NULL);
}

/* What a path leads to must be seen in its text: "/allowed/../secret" is not below /allowed. */
static int check_path(const char *key, const char *path, vqemu_error **error) {
    if (*path != '/')
        return refuse_path(key, path, "relative-path", "is not an absolute path", error);
    if (path_climbs(path))
        return refuse_path(key, path, "path-goes-up",
                           "has a \"..\"; write the path that it leads to", error);
    _cleanup_free_ char *plain = plain_path(path);
    if (!plain)
        return error_no_memory(error);
    if (path_is_of_process(plain))
        return refuse_path(key, path, "path-of-process",
                           "leads each process elsewhere, to a descriptor or another thing of its "
                           "own; write the path of a file, or pass a descriptor by its key (fd)",
                           error);
    return 0;
}

static int check_string(const struct property *property, const char *key, const char *value,
                        vqemu_error **error) {
    int r = property_is_path(property) ? check_path(key, value, error) : 0;
    if (r == 0)
        r = check_length(property, key, value, error);
    return r < 0 ? r : check_pattern(property->pattern, property->wanted, key, value, error);
}

const char *property_choice_at(const struct property *property, size_t index) {
    return property->choice_at ? property->choice_at(index) : property->choices[index];
}

static int refuse_choice(const struct property *property, const char *key, const char *value,
                         vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf choices = {0};
    const char *choice;
    for (size_t i = 0; (choice = property_choice_at(property, i)); i++)
        strbuf_addf(&choices, "%s%s", i ? ", " : "", choice);
    if (choices.failed)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: \"%.200s\" is not one of %s", key, value,
                      choices.text);
    return error_because(r, error, "not-a-choice", VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE, value,
                         VQEMU_DETAIL_CHOICES, choices.text, NULL);
}

static int set_choice(const struct property *property, void *object, const char *key,
                      const char *value, vqemu_error **error) {
    const char *choice;
    for (size_t i = 0; (choice = property_choice_at(property, i)); i++) {
        if (strcmp(choice, value) == 0) {
            *(const char **)property_field(property, object) = choice;
            return 0;
        }
    }
    return refuse_choice(property, key, value, error);
}

/* ---- setting ---- */

static int refuse_empty(const char *key, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: it is empty", key);
    return error_because(r, error, "missing-value", VQEMU_DETAIL_KEY, key, NULL);
}

static int unset_string(const struct property *property, void *object, const char *key,
                        vqemu_error **error) {
    char **field = property_field(property, object);
    if (property->required)
        return refuse_empty(key, error);
    if (property->kind != PROPERTY_CHOICE)
        free(*field);
    *field = NULL;
    return 0;
}

int property_set_string(const struct property *property, void *object, const char *key,
                        const char *value, vqemu_error **error) {
    char **field = property_field(property, object);
    if (!value || (!*value && !property->may_be_empty))
        return unset_string(property, object, key, error);
    if (property->kind == PROPERTY_CHOICE)
        return set_choice(property, object, key, value, error);
    int r = check_string(property, key, value, error);
    if (r < 0)
        return r;
    char *copy = strdup(value);
    if (!copy)
        return error_no_memory(error);
    free(*field);
    *field = copy;
    return 0;
}

int property_set_number(const struct property *property, void *object, const char *key,
                        uint64_t value, vqemu_error **error) {
    bool is_unset = value == 0 && !property->required;
    if (!is_unset && (value < property->minimum || value > property->maximum)) {
        char text[24];
        snprintf(text, sizeof text, "%" PRIu64, value);
        int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: %s is not from %" PRIu64 " to %" PRIu64,
                          key, text, property->minimum, property->maximum);
        return error_because(r, error, "out-of-range", VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE,
                             text, NULL);
    }
    *(uint64_t *)property_field(property, object) = value;
    return 0;
}

int property_check_room(const char *key, size_t count, vqemu_error **error) {
    if (count < LIST_MAX)
        return 0;
    int r =
        error_set(error, VQEMU_ERR_INVALID, 0, "%s: there can be %d, and no more", key, LIST_MAX);
    return error_because(r, error, "too-many", VQEMU_DETAIL_KEY, key, NULL);
}

/* What was in the vector before is still good. */
static int append(struct strv *vector, const char *key, const char *value, vqemu_error **error) {
    int r = property_check_room(key, vector->count, error);
    if (r < 0)
        return r;
    strv_add(vector, value);
    if (!vector->failed)
        return 0;
    vector->failed = false;
    return error_no_memory(error);
}

int property_set_element(const struct property *property, void *object, const char *key,
                         size_t index, const char *value, vqemu_error **error) {
    struct strv *vector = property_field(property, object);
    if (!value)
        return refuse_empty(key, error);
    int r = check_string(property, key, value, error);
    if (r < 0)
        return r;
    if (index == vector->count)
        return append(vector, key, value, error);
    char *copy = strdup(value);
    if (!copy)
        return error_no_memory(error);
    free(vector->items[index]);
    vector->items[index] = copy;
    return 0;
}

/* ---- named values ---- */

static int check_text(const struct property *property, const char *key, const char *text,
                      vqemu_error **error) {
    if (property->value_pattern)
        return check_pattern(property->value_pattern, property->value_wanted, key, text, error);
    return check_pattern(
        VALUE_PATTERN,
        "text that QEMU can take here: up to 255 bytes without commas, tabs and newlines", key,
        text, error);
}

static int check_switch(const struct property *property, const char *key, vqemu_error **error) {
    if (!property->value_pattern)
        return 0;
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: a switch is not %s", key,
                      property->value_wanted);
    return error_because(r, error, "wrong-kind", VQEMU_DETAIL_KEY, key, NULL);
}

/* JSON has no larger ones. */
static int check_number(const struct property *property, const char *key, uint64_t number,
                        vqemu_error **error) {
    uint64_t maximum = property->maximum ? property->maximum : INT64_MAX;
    if (number <= maximum)
        return 0;
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: %s is more than %" PRIu64 "%s", key, text,
                      maximum, property->maximum ? "" : "; set it as text");
    return error_because(r, error, "out-of-range", VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE, text,
                         NULL);
}

static int check_value(const struct property *property, const char *key, const struct value *value,
                       vqemu_error **error) {
    switch (value->kind) {
    case VALUE_TEXT:
        return check_text(property, key, value->text, error);
    case VALUE_SWITCH:
        return check_switch(property, key, error);
    case VALUE_NUMBER:
        break;
    }
    return check_number(property, key, value->number, error);
}

/* "on" is a switch, and comes out of JSON as one. */
static struct value plain(const struct value *value) {
    if (value->kind == VALUE_TEXT && strcmp(value->text, "on") == 0)
        return (struct value){.kind = VALUE_SWITCH, .on = true};
    if (value->kind == VALUE_TEXT && strcmp(value->text, "off") == 0)
        return (struct value){.kind = VALUE_SWITCH};
    return *value;
}

int property_check_name(const struct property *property, const char *key, const char *name,
                        vqemu_error **error) {
    return check_pattern(property->pattern, property->wanted, key, name, error);
}

int property_set_value(const struct property *property, void *object, const char *key,
                       const char *name, const struct value *value, vqemu_error **error) {
    struct named_values *values = property_field(property, object);
    int r = property_check_name(property, key, name, error);
    if (r < 0)
        return r;
    if (!value) {
        named_values_remove(values, name);
        return 0;
    }
    r = check_value(property, key, value, error);
    if (r == 0 && !named_values_find(values, name))
        r = property_check_room(key, values->count, error);
    if (r < 0)
        return r;
    const struct value new = plain(value);
    return named_values_set(values, name, &new) ? 0 : error_no_memory(error);
}

/* ---- lists, and the end ---- */

void *object_list_add(struct object_list *list, const struct object_type *element) {
    void *object = calloc(1, element->size);
    void **items = object ? reallocarray(list->items, list->count + 1, sizeof *items) : NULL;
    if (!items) {
        free(object);
        return NULL;
    }
    list->items = items;
    list->items[list->count++] = object;
    return object;
}

void object_list_remove(struct object_list *list, const struct object_type *element, size_t index) {
    object_release(element, list->items[index]);
    free(list->items[index]);
    list->count--;
    memmove(&list->items[index], &list->items[index + 1],
            (list->count - index) * sizeof *list->items);
}

static void release_list(struct object_list *list, const struct object_type *element) {
    for (size_t i = 0; i < list->count; i++) {
        object_release(element, list->items[i]);
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct object_list){0};
}

static void release_property(const struct property *property, void *object) {
    void *field = property_field(property, object);
    switch (property->kind) {
    case PROPERTY_STRING:
    case PROPERTY_PATH:
    case PROPERTY_SOCKET:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case PROPERTY_CHOICE:
        *(const char **)field = NULL;
        break;
    case PROPERTY_NUMBER:
        *(uint64_t *)field = 0;
        break;
    case PROPERTY_SWITCH:
        *(enum toggle *)field = TOGGLE_DEFAULT;
        break;
    case PROPERTY_STRINGS:
        strv_release(field);
        break;
    case PROPERTY_VALUES:
        named_values_release(field);
        break;
    case PROPERTY_OBJECTS:
        release_list(field, property->element);
        break;
    }
}

int property_unset(const struct property *property, void *object, const char *key,
                   vqemu_error **error) {
    if (property->required)
        return refuse_empty(key, error);
    release_property(property, object);
    return 0;
}

void object_release(const struct object_type *type, void *object) {
    for (size_t i = 0; i < type->count; i++)
        release_property(&type->properties[i], object);
}

/* ---- looking ---- */

size_t property_count(const struct property *property, const void *object) {
    const void *field = property_value(property, object);
    if (property->kind == PROPERTY_STRINGS)
        return ((const struct strv *)field)->count;
    if (property->kind == PROPERTY_VALUES)
        return ((const struct named_values *)field)->count;
    return ((const struct object_list *)field)->count;
}

bool property_is_set(const struct property *property, const void *object) {
    const void *field = property_value(property, object);
    if (property_is_string(property))
        return *(char *const *)field;
    if (property->kind == PROPERTY_NUMBER)
        return *(const uint64_t *)field != 0;
    if (property->kind == PROPERTY_SWITCH)
        return *(const enum toggle *)field != TOGGLE_DEFAULT;
    return property_count(property, object) > 0;
}
