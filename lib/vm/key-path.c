/* SPDX-License-Identifier: MIT */
#include "vm/key-path.h"

#include <string.h>

#include "base/error.h"
#include "util/cleanup.h"

/* ---- reading a key ---- */

static int malformed(const char *key, const char *why, const char *property, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%.200s: %s%s", key, property, why);
    return error_because(r, error, "malformed-key", VQEMU_DETAIL_KEY, key, NULL);
}

/* Digits without zeros in front; one that is too large for any list is any such number. */
static const char *read_index(const char *c, size_t *index) {
    const char *start = c;
    *index = 0;
    for (; *c >= '0' && *c <= '9'; c++)
        if (*index <= LIST_MAX)
            *index = *index * 10 + (size_t)(*c - '0');
    bool is_number = c > start && (*start != '0' || c == start + 1);
    return is_number && *c == ']' ? c + 1 : NULL;
}

static int read_step(const char *key, const char **rest, struct key_step *step,
                     vqemu_error **error) {
    const struct property *property = step->property;
    bool is_list = property->kind == PROPERTY_STRINGS || property->kind == PROPERTY_OBJECTS;
    if (**rest != '[')
        return 0;
    if (!is_list)
        return malformed(key, " is no list, and has no [index]", property->key, error);
    const char *end = read_index(*rest + 1, &step->index);
    if (!end)
        return malformed(key, "[...] needs a number from 0 up", property->key, error);
    *rest = end;
    step->has_index = true;
    return 0;
}

static enum key_kind kind_of(const struct key_path *path) {
    const struct property *property = key_last(path)->property;
    if (path->name)
        return KEY_VALUE;
    if (property_is_string(property))
        return KEY_STRING;
    if (property->kind == PROPERTY_NUMBER)
        return KEY_NUMBER;
    if (property->kind == PROPERTY_SWITCH)
        return KEY_SWITCH;
    if (!key_is_element(path))
        return KEY_LIST;
    return property->kind == PROPERTY_STRINGS ? KEY_STRING : KEY_OBJECT;
}

/* What follows a property and its index: the end, or something below it. */
static int read_below(struct key_path *path, const char **rest, const struct object_type **type,
                      vqemu_error **error) {
    const struct key_step *step = key_last(path);
    const struct property *property = step->property;
    *type = NULL;
    if (**rest == '\0')
        return 0;
    if (**rest != '.')
        return malformed(path->text, ": nothing can follow but a full stop", property->key, error);
    (*rest)++;
    if (property->kind == PROPERTY_VALUES) {
        path->name = *rest;
        return property_check_name(property, path->text, path->name, error);
    }
    if (property->kind == PROPERTY_OBJECTS && !step->has_index)
        return malformed(path->text, " is a list: say which, as in [0]", property->key, error);
    if (property->kind != PROPERTY_OBJECTS)
        return malformed(path->text, " has no keys of its own", property->key, error);
    *type = property->element;
    return 0;
}

int key_parse(const struct object_type *type, const char *text, struct key_path *path,
              vqemu_error **error) {
    const char *rest = text;
    *path = (struct key_path){.text = text};
    while (type && path->count < KEY_DEPTH_MAX) {
        size_t length = strcspn(rest, ".[");
        const struct property *property = property_find(type, rest, length);
        if (!property)
            return property_unknown(type, text, (size_t)(rest - text), length, false, error);
        path->steps[path->count++] = (struct key_step){.property = property};
        rest += length;
        int r = read_step(text, &rest, &path->steps[path->count - 1], error);
        if (r == 0)
            r = read_below(path, &rest, &type, error);
        if (r < 0)
            return r;
    }
    path->kind = kind_of(path);
    return 0;
}

int key_wrong_kind(const struct key_path *path, const char *given, vqemu_error **error) {
    static const char *const kinds[] = {
        [KEY_STRING] = "a string",
        [KEY_NUMBER] = "a number",
        [KEY_SWITCH] = "a switch",
        [KEY_VALUE] = "a switch, number or string, and set as another of these",
        [KEY_LIST] = "a whole list or object",
        [KEY_OBJECT] = "an element with keys of its own"};
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%.200s: it is %s, and not %s", path->text,
                      kinds[path->kind], given);
    return error_because(r, error, "wrong-kind", VQEMU_DETAIL_KEY, path->text, NULL);
}

/* ---- finding what it is about ---- */

static int beyond_end(const struct key_path *path, const struct key_step *step, size_t count,
                      vqemu_error **error) {
    const char *list = step->property->key;
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%.200s: it is beyond the end of %s, which has %zu", path->text, list, count);
    return error_because(r, error, "index-beyond-end", VQEMU_DETAIL_KEY, path->text, NULL);
}

int key_find(const struct key_path *path, const void *root, const void **object,
             vqemu_error **error) {
    *object = root;
    for (size_t i = 0; i < path->count; i++) {
        const struct key_step *step = &path->steps[i];
        size_t count = step->has_index ? property_count(step->property, *object) : 0;
        if (step->has_index && step->index >= count)
            return beyond_end(path, step, count, error);
        if (i + 1 < path->count)
            *object = ((const struct object_list *)property_value(step->property, *object))
                          ->items[step->index];
    }
    return 0;
}

/* Of several that are appended, the first takes the others with it. */
static void *append(struct object_list *list, const struct object_type *element,
                    struct key_growth *growth) {
    void *object = object_list_add(list, element);
    if (object && !growth->list)
        *growth = (struct key_growth){list, element};
    return object;
}

static int go_down(const struct key_path *path, const struct key_step *step, void **object,
                   struct key_growth *growth, vqemu_error **error) {
    struct object_list *list = property_field(step->property, *object);
    if (step->index < list->count) {
        *object = list->items[step->index];
        return 0;
    }
    int r = property_check_room(path->text, list->count, error);
    if (r < 0)
        return r;
    *object = append(list, step->property->element, growth);
    return *object ? 0 : error_no_memory(error);
}

int key_make(const struct key_path *path, void *root, void **object, struct key_growth *growth,
             vqemu_error **error) {
    int r = 0;
    *object = root;
    *growth = (struct key_growth){0};
    for (size_t i = 0; r == 0 && i < path->count; i++) {
        const struct key_step *step = &path->steps[i];
        size_t count = step->has_index ? property_count(step->property, *object) : 0;
        if (step->has_index && step->index > count)
            r = beyond_end(path, step, count, error);
        else if (i + 1 < path->count)
            r = go_down(path, step, object, growth, error);
    }
    if (r < 0)
        key_undo(growth);
    return r;
}

void key_undo(const struct key_growth *growth) {
    if (growth->list)
        object_list_remove(growth->list, growth->element, growth->list->count - 1);
}
