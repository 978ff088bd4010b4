/* SPDX-License-Identifier: MIT */
/* Whole objects: copying them, and what must not be missing of them. */
#include <string.h>

#include "base/error.h"
#include "util/cleanup.h"
#include "vm/property.h"

/* ---- copying ---- */

static bool copy_string(const char *from, char **to) {
    *to = from ? strdup(from) : NULL;
    return *to || !from;
}

static bool copy_strings(const struct strv *from, struct strv *to) {
    for (size_t i = 0; i < from->count; i++)
        strv_add(to, from->items[i]);
    return !to->failed;
}

static bool copy_values(const struct named_values *from, struct named_values *to) {
    for (size_t i = 0; i < from->count; i++)
        if (!named_values_set(to, from->items[i].name, &from->items[i].value))
            return false;
    return true;
}

static int copy_objects(const struct object_list *from, struct object_list *to,
                        const struct object_type *element, vqemu_error **error) {
    for (size_t i = 0; i < from->count; i++) {
        void *copy = object_list_add(to, element);
        int r = copy ? object_copy(element, from->items[i], copy, error) : error_no_memory(error);
        if (r < 0)
            return r;
    }
    return 0;
}

static int copy_property(const struct property *property, const void *from, void *to,
                         vqemu_error **error) {
    const void *value = property_value(property, from);
    void *field = property_field(property, to);
    bool good = true;
    switch (property->kind) {
    case PROPERTY_STRING:
    case PROPERTY_PATH:
    case PROPERTY_SOCKET:
        good = copy_string(*(char *const *)value, field);
        break;
    case PROPERTY_CHOICE:
        *(const char **)field = *(const char *const *)value;
        break;
    case PROPERTY_NUMBER:
        *(uint64_t *)field = *(const uint64_t *)value;
        break;
    case PROPERTY_SWITCH:
        *(enum toggle *)field = *(const enum toggle *)value;
        break;
    case PROPERTY_STRINGS:
        good = copy_strings(value, field);
        break;
    case PROPERTY_VALUES:
        good = copy_values(value, field);
        break;
    case PROPERTY_OBJECTS:
        return copy_objects(value, field, property->element, error);
    }
    return good ? 0 : error_no_memory(error);
}

int object_copy(const struct object_type *type, const void *from, void *to, vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < type->count; i++)
        r = copy_property(&type->properties[i], from, to, error);
    return r;
}

/* ---- what is required ---- */

static int check_object(const struct object_type *type, const void *object, struct strbuf *path,
                        vqemu_error **error);

static int check_elements(const struct property *property, const void *object, struct strbuf *path,
                          vqemu_error **error) {
    const struct object_list *list = property_value(property, object);
    size_t length = path->length;
    int r = 0;
    for (size_t i = 0; r == 0 && i < list->count; i++) {
        strbuf_addf(path, "%s[%zu].", property->key, i);
        r = check_object(property->element, list->items[i], path, error);
        strbuf_truncate(path, length);
    }
    return r;
}

static int refuse_missing(const struct property *property, struct strbuf *path,
                          vqemu_error **error) {
    strbuf_add(path, property->key);
    if (path->failed)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: missing", path->text);
    return error_because(r, error, "missing-value", VQEMU_DETAIL_KEY, path->text, NULL);
}

static int check_object(const struct object_type *type, const void *object, struct strbuf *path,
                        vqemu_error **error) {
    int r = path->failed ? error_no_memory(error) : 0;
    for (size_t i = 0; r == 0 && i < type->count; i++) {
        const struct property *property = &type->properties[i];
        if (property->required && !property_is_set(property, object))
            return refuse_missing(property, path, error);
        if (property->kind == PROPERTY_OBJECTS)
            r = check_elements(property, object, path, error);
    }
    return r;
}

int object_check_required(const struct object_type *type, const void *object, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf path = {0};
    return check_object(type, object, &path, error);
}
