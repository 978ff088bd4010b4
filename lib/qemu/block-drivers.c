/* SPDX-License-Identifier: MIT */
#include "qemu/block-drivers.h"

#include <string.h>

#include "base/error.h"
#include "qemu/schema.h"

#define COMMAND "blockdev-add"

/* What QEMU says of a driver that it does not find; of one that it has, it says something else. */
#define UNKNOWN "Unknown driver"

/* Zeros can become discards only where these are allowed, which nothing is by default: no driver
 * opens anything after such a setting. */
#define REFUSED "detect-zeroes"
#define REFUSED_VALUE "unmap"

/* Of values within values no more is made up. */
#define DEPTH_MAX 6

/* ---- values that fit ---- */

static json_t *make_value(const json_t *by_name, const char *name, int depth);

static json_t *make_plain(const char *json_type) {
    if (strcmp(json_type, "boolean") == 0)
        return json_false();
    if (strcmp(json_type, "int") == 0 || strcmp(json_type, "number") == 0)
        return json_integer(0);
    return strcmp(json_type, "null") == 0 ? json_null() : json_string("x");
}

/* Those that must be there. */
static bool add_members(const json_t *by_name, const json_t *type, json_t *object, int depth) {
    size_t i;
    const json_t *member;
    json_array_foreach(json_object_get(type, "members"), i, member) {
        const char *name = json_text(member, "name");
        if (json_object_get(member, "default") || json_object_get(object, name))
            continue;
        json_t *value = make_value(by_name, json_text(member, "type"), depth - 1);
        if (json_object_set_new(object, name, value) < 0)
            return false;
    }
    return true;
}

/* The one that a variant is: that it is so, what it has itself, and what all have. */
static bool add_case(const json_t *by_name, const json_t *type, const json_t *variant,
                     json_t *object, int depth) {
    const json_t *of_case = json_object_get(by_name, json_text(variant, "type"));
    return json_object_set_new(object, json_text(type, "tag"),
                               json_string(json_text(variant, "case"))) == 0 &&
           add_members(by_name, of_case, object, depth) &&
           add_members(by_name, type, object, depth);
}

static json_t *make_object(const json_t *by_name, const json_t *type, int depth) {
    const json_t *variant = json_array_get(json_object_get(type, "variants"), 0);
    json_t *object = json_object();
    bool is_whole = variant ? add_case(by_name, type, variant, object, depth)
                            : add_members(by_name, type, object, depth);
    if (is_whole)
        return object;
    json_decref(object);
    return NULL;
}

/* NULL if none can be made. */
static json_t *make_value(const json_t *by_name, const char *name, int depth) {
    const json_t *type = json_object_get(by_name, name);
    const char *meta = json_text(type, "meta-type");
    const json_t *first = json_array_get(json_object_get(type, "members"), 0);
    if (depth == 0)
        return NULL;
    if (strcmp(meta, "builtin") == 0)
        return make_plain(json_text(type, "json-type"));
    if (strcmp(meta, "array") == 0)
        return json_array();
    if (strcmp(meta, "alternate") == 0)
        return make_value(by_name, json_text(first, "type"), depth - 1);
    if (strcmp(meta, "enum") == 0)
        return json_incref(json_array_get(json_object_get(type, "values"), 0));
    return strcmp(meta, "object") == 0 ? make_object(by_name, type, depth) : NULL;
}

/* ---- drivers ---- */

static int ask_driver(struct capability_list *list, struct asked *asked, const json_t *by_name,
                      const json_t *variant, vqemu_error **error) {
    const json_t *type = schema_type_of(by_name, COMMAND, "arg-type");
    _cleanup_free_ char *why = NULL;
    json_t *arguments = json_pack("{s:s, s:s}", REFUSED, REFUSED_VALUE, "node-name", "volt-asked");
    if (!add_case(by_name, type, variant, arguments, DEPTH_MAX)) {
        json_decref(arguments);
        return 0;
    }
    int r = ask_refused(asked, COMMAND, arguments, &why, error);
    if (r < 0 || !why || !strstr(why, UNKNOWN))
        return r;
    r = capability_list_mark(list, "blockdev", json_text(variant, "case"), "broken", "yes");
    return r < 0 ? error_no_memory(error) : 0;
}

/* Without the setting that it refuses, QEMU might open something. */
static bool is_refused(const json_t *by_name, const json_t *type) {
    const json_t *member = schema_member(type, REFUSED);
    const json_t *values =
        json_object_get(json_object_get(by_name, json_text(member, "type")), "values");
    size_t i;
    const json_t *value;
    json_array_foreach(values, i, value) {
        if (json_is_string(value) && strcmp(json_string_value(value), REFUSED_VALUE) == 0)
            return true;
    }
    return false;
}

int block_drivers_mark(struct capability_list *list, struct asked *asked, const json_t *schema,
                       vqemu_error **error) {
    _cleanup_json_ json_t *by_name = schema_index(schema);
    const json_t *type = schema_type_of(by_name, COMMAND, "arg-type"), *variant;
    int r = by_name ? 0 : error_no_memory(error);
    size_t i;
    if (!is_refused(by_name, type))
        return r;
    json_array_foreach(json_object_get(type, "variants"), i, variant) {
        if (r == 0)
            r = ask_driver(list, asked, by_name, variant, error);
    }
    return r;
}
