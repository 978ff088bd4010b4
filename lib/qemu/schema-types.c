/* SPDX-License-Identifier: MIT */
#include "qemu/schema-types.h"

#include <errno.h>
#include <string.h>

/* Of a program that tells more, it is not known. */
#define TYPES_MAX 4000

static const struct plain {
    const char *name;
    enum plain_type type;
} plains[] = {{"boolean", TYPE_BOOLEAN}, {"int", TYPE_INTEGER},   {"null", TYPE_NULL},
              {"number", TYPE_NUMBER},   {"string", TYPE_STRING}, {"value", TYPE_ANY}};

/* ---- names ---- */

static const json_t *find(const struct schema_types *types, const char *name) {
    return json_object_get(types->by_name, name);
}

static bool is_meta(const json_t *type, const char *meta) {
    return strcmp(json_text(type, "meta-type"), meta) == 0;
}

/* What it is called; it gets its turn if it is new. NULL without memory. */
static const char *name_of(struct schema_types *types, const char *name) {
    const json_t *known = json_object_get(types->names, name);
    if (known)
        return json_string_value(known);
    _cleanup_free_ char *number = format_string("%zu", json_object_size(types->names));
    if (!number || json_object_set_new(types->names, name, json_string(number)) < 0) {
        types->failed = true;
        return NULL;
    }
    strv_add(&types->waiting, name);
    return json_string_value(json_object_get(types->names, name));
}

static void add_plain(const json_t *type, struct strbuf *text) {
    const char *name = json_text(type, "json-type");
    for (size_t i = 0; i < sizeof plains / sizeof *plains; i++)
        if (strcmp(name, plains[i].name) == 0) {
            strbuf_add_char(text, (char)plains[i].type);
            return;
        }
    strbuf_add_char(text, TYPE_ANY);
}

/* What is not known can be anything. */
static void add_reference(struct schema_types *types, const char *name, struct strbuf *text) {
    const json_t *type = find(types, name);
    if (is_meta(type, "array")) {
        strbuf_add_char(text, TYPE_LIST);
        name = json_text(type, "element-type");
        type = find(types, name);
    }
    if (is_meta(type, "builtin")) {
        add_plain(type, text);
        return;
    }
    bool is_known = is_meta(type, "object") || is_meta(type, "enum") || is_meta(type, "alternate");
    bool has_room = json_object_size(types->names) < TYPES_MAX;
    const char *own = is_known && has_room ? name_of(types, name) : NULL;
    if (own)
        strbuf_add(text, own);
    else
        strbuf_add_char(text, TYPE_ANY);
}

/* ---- types ---- */

static void add_thing(struct schema_types *types, const char *name, const char *is, const char *tag,
                      struct strv *words) {
    _cleanup_strbuf_ struct strbuf facts = {0};
    capability_add_fact(&facts, "is", is);
    if (tag && *tag)
        capability_add_fact(&facts, "tag", tag);
    int set = capability_list_add_set(types->list, words);
    types->failed = types->failed || facts.failed;
    capability_list_add(types->list, TYPE_KIND, name, set, facts.text ? facts.text : "");
}

/* Those that may be left out have a default, which is null. */
static void add_members(struct schema_types *types, const json_t *type, struct strv *words) {
    size_t i;
    const json_t *member;
    json_array_foreach(json_object_get(type, "members"), i, member) {
        struct strbuf word = {0};
        strbuf_addf(&word, "%s%s:", json_text(member, "name"),
                    json_object_get(member, "default") ? "?" : "");
        add_reference(types, json_text(member, "type"), &word);
        strv_take_in(words, strbuf_take(&word));
    }
}

static void add_case(struct schema_types *types, const char *name, const json_t *type,
                     const json_t *variant) {
    _cleanup_strv_ struct strv words = {0};
    _cleanup_free_ char *whole = format_string("%s.%s", name, json_text(variant, "case"));
    types->failed = types->failed || !whole;
    if (!whole)
        return;
    add_members(types, type, &words);
    add_members(types, find(types, json_text(variant, "type")), &words);
    add_thing(types, whole, "struct", NULL, &words);
}

static void add_object(struct schema_types *types, const char *name, const json_t *type) {
    _cleanup_strv_ struct strv words = {0};
    const char *tag = json_text(type, "tag");
    size_t i;
    const json_t *variant;
    add_members(types, type, &words);
    add_thing(types, name, *tag ? "union" : "struct", tag, &words);
    json_array_foreach(json_object_get(type, "variants"), i, variant)
        add_case(types, name, type, variant);
}

/* Newer programs tell more of values than their names. */
static void add_enum(struct schema_types *types, const char *name, const json_t *type) {
    _cleanup_strv_ struct strv words = {0};
    size_t i;
    const json_t *value;
    json_array_foreach(json_object_get(type, "members"), i, value)
        strv_add(&words, json_text(value, "name"));
    if (words.count == 0)
        json_array_foreach(json_object_get(type, "values"), i, value)
            strv_add(&words, json_is_string(value) ? json_string_value(value) : "");
    add_thing(types, name, "enum", NULL, &words);
}

static void add_alternate(struct schema_types *types, const char *name, const json_t *type) {
    _cleanup_strv_ struct strv words = {0};
    size_t i;
    const json_t *member;
    json_array_foreach(json_object_get(type, "members"), i, member) {
        struct strbuf word = {0};
        add_reference(types, json_text(member, "type"), &word);
        strv_take_in(&words, strbuf_take(&word));
    }
    add_thing(types, name, "either", NULL, &words);
}

static void add_type(struct schema_types *types, const char *name, const json_t *type) {
    if (is_meta(type, "enum"))
        add_enum(types, name, type);
    else if (is_meta(type, "alternate"))
        add_alternate(types, name, type);
    else
        add_object(types, name, type);
}

/* ---- all of them ---- */

void schema_types_add(struct schema_types *types, const char *name, const json_t *type) {
    const char *own = json_text(type, "name");
    if (!types->names)
        types->names = json_object();
    if (!*own || json_object_get(types->names, own))
        return;
    if (json_object_set_new(types->names, own, json_string(name)) < 0)
        types->failed = true;
    strv_add(&types->waiting, own);
}

/* Whose turn it is may add others behind it: none waits in a call of its own, however deep they lie
 * in one another. */
int schema_types_finish(struct schema_types *types) {
    for (size_t i = 0; i < types->waiting.count && !types->waiting.failed; i++) {
        const char *name = types->waiting.items[i];
        add_type(types, json_text(types->names, name), find(types, name));
    }
    return types->failed || types->waiting.failed ? -ENOMEM : 0;
}

void schema_types_release(struct schema_types *types) {
    json_decref(types->names);
    strv_release(&types->waiting);
}
