/* SPDX-License-Identifier: MIT */
#include "vm/property.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "util/cleanup.h"
#include "util/pattern.h"
#include "util/strbuf.h"

/* ---- what a string may be ---- */

static int check_length(const struct property *property, const char *prefix, const char *value,
                        vqemu_error **error) {
    uint64_t maximum = property_longest(property);
    if (maximum == 0 || strlen(value) <= maximum)
        return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0,
                     "%s%s: \"%.200s\" has %zu bytes; it can have %" PRIu64 "%s", prefix,
                     property->key, value, strlen(value), maximum,
                     property->kind == PROPERTY_SOCKET ? ", as the path of every Unix socket" : "");
}

static int check_pattern(const struct property *property, const char *prefix, const char *value,
                         vqemu_error **error) {
    if (!property->pattern || pattern_matches(property->pattern, value))
        return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s: \"%.200s\" is not %s", prefix,
                     property->key, value, property->wanted);
}

static int check_string(const struct property *property, const char *prefix, const char *value,
                        vqemu_error **error) {
    bool is_path = property->kind == PROPERTY_PATH || property->kind == PROPERTY_SOCKET;
    if (is_path && *value != '/')
        return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s: \"%.200s\" is not an absolute path",
                         prefix, property->key, value);
    int r = check_length(property, prefix, value, error);
    return r < 0 ? r : check_pattern(property, prefix, value, error);
}

static int refuse_choice(const struct property *property, const char *prefix, const char *value,
                         vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf choices = {0};
    for (const char *const *choice = property->choices; *choice; choice++)
        strbuf_addf(&choices, "%s%s", choices.length ? ", " : "", *choice);
    if (choices.failed)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s: \"%.200s\" is not one of %s", prefix,
                     property->key, value, choices.text);
}

static int set_choice(const struct property *property, void *object, const char *prefix,
                      const char *value, vqemu_error **error) {
    for (const char *const *choice = property->choices; *choice; choice++) {
        if (strcmp(*choice, value) == 0) {
            *(const char **)property_field(property, object) = *choice;
            return 0;
        }
    }
    return refuse_choice(property, prefix, value, error);
}

/* ---- setting ---- */

static int unset_string(const struct property *property, void *object, const char *prefix,
                        vqemu_error **error) {
    char **field = property_field(property, object);
    if (property->required)
        return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s: it is empty", prefix, property->key);
    if (property->kind != PROPERTY_CHOICE)
        free(*field);
    *field = NULL;
    return 0;
}

int property_set_string(const struct property *property, void *object, const char *prefix,
                        const char *value, vqemu_error **error) {
    char **field = property_field(property, object);
    if (!value || (!*value && !property->may_be_empty))
        return unset_string(property, object, prefix, error);
    if (property->kind == PROPERTY_CHOICE)
        return set_choice(property, object, prefix, value, error);
    int r = check_string(property, prefix, value, error);
    if (r < 0)
        return r;
    char *copy = strdup(value);
    if (!copy)
        return error_no_memory(error);
    free(*field);
    *field = copy;
    return 0;
}

int property_set_number(const struct property *property, void *object, const char *prefix,
                        uint64_t value, vqemu_error **error) {
    bool is_unset = value == 0 && !property->required;
    if (!is_unset && (value < property->minimum || value > property->maximum))
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "%s%s: %" PRIu64 " is not from %" PRIu64 " to %" PRIu64, prefix,
                         property->key, value, property->minimum, property->maximum);
    *(uint64_t *)property_field(property, object) = value;
    return 0;
}

/* What was in the vector before is still good. */
static int report_vector(struct strv *vector, vqemu_error **error) {
    if (!vector->failed)
        return 0;
    vector->failed = false;
    return error_no_memory(error);
}

int property_add_string(const struct property *property, void *object, const char *prefix,
                        const char *value, vqemu_error **error) {
    struct strv *vector = property_field(property, object);
    if (!value)
        return error_set(error, VQEMU_ERR_INVALID, 0, "%s%s: one is NULL", prefix, property->key);
    strv_add(vector, value);
    return report_vector(vector, error);
}

int property_set_switch(const struct property *property, void *object, const char *prefix,
                        const char *name, bool on, vqemu_error **error) {
    struct strv *vector = property_field(property, object);
    int r = check_string(property, prefix, name ? name : "", error);
    if (r < 0)
        return r;
    _cleanup_free_ char *setting = format_string("%s=%s", name, on ? "on" : "off");
    if (!setting)
        return error_no_memory(error);
    size_t length = strlen(name) + 1;
    for (size_t i = 0; i < vector->count; i++) {
        if (strncmp(vector->items[i], setting, length) == 0) {
            free(vector->items[i]);
            vector->items[i] = TAKE_POINTER(setting);
            return 0;
        }
    }
    strv_take_in(vector, TAKE_POINTER(setting));
    return report_vector(vector, error);
}

/* ---- by key ---- */

static const struct property *property_of(const struct object_type *type, const char *key) {
    const struct property *property = type->properties;
    while (strcmp(property->key, key) != 0)
        property++;
    return property;
}

/* A VM's own properties need no noun before them. */
static const char *prefix_of(const struct object_type *type, char prefix[static 32]) {
    if (strcmp(type->noun, "vm") == 0)
        return "";
    strncat(strcpy(prefix, type->noun), " ", 2);
    return prefix;
}

int object_set_string(const struct object_type *type, void *object, const char *key,
                      const char *value, vqemu_error **error) {
    char prefix[32];
    return property_set_string(property_of(type, key), object, prefix_of(type, prefix), value,
                               error);
}

int object_set_number(const struct object_type *type, void *object, const char *key, uint64_t value,
                      vqemu_error **error) {
    char prefix[32];
    return property_set_number(property_of(type, key), object, prefix_of(type, prefix), value,
                               error);
}

/* 0 is what a caller has that closed its standard input, and opened something else. */
int object_set_descriptor(const struct object_type *type, void *object, const char *key, int fd,
                          vqemu_error **error) {
    const struct property *property = property_of(type, key);
    char prefix[32];
    if (fd != -1 && fd < 3)
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "%s%s: %d is no descriptor that can be passed on: they are from 3 up, and "
                         "-1 is none",
                         prefix_of(type, prefix), key, fd);
    *(uint64_t *)property_field(property, object) = fd == -1 ? 0 : (uint64_t)fd;
    return 0;
}

int object_add_string(const struct object_type *type, void *object, const char *key,
                      const char *value, vqemu_error **error) {
    char prefix[32];
    return property_add_string(property_of(type, key), object, prefix_of(type, prefix), value,
                               error);
}

int object_set_switch(const struct object_type *type, void *object, const char *key,
                      const char *name, bool on, vqemu_error **error) {
    char prefix[32];
    return property_set_switch(property_of(type, key), object, prefix_of(type, prefix), name, on,
                               error);
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

void object_list_remove_last(struct object_list *list, const struct object_type *element) {
    void *last = list->items[--list->count];
    object_release(element, last);
    free(last);
}

static void release_list(struct object_list *list, const struct object_type *element) {
    for (size_t i = 0; i < list->count; i++) {
        object_release(element, list->items[i]);
        free(list->items[i]);
    }
    free(list->items);
}

void object_release(const struct object_type *type, void *object) {
    for (size_t i = 0; i < type->count; i++) {
        const struct property *property = &type->properties[i];
        void *field = property_field(property, object);
        switch (property->kind) {
        case PROPERTY_STRING:
        case PROPERTY_PATH:
        case PROPERTY_SOCKET:
            free(*(char **)field);
            break;
        case PROPERTY_STRINGS:
        case PROPERTY_SWITCHES:
            strv_release(field);
            break;
        case PROPERTY_OBJECTS:
            release_list(field, property->element);
            break;
        case PROPERTY_CHOICE:
        case PROPERTY_NUMBER:
        case PROPERTY_SWITCH:
            break;
        }
    }
}
