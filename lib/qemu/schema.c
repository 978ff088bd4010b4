/* SPDX-License-Identifier: MIT */
#include "qemu/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/schema-types.h"

/* A union that is told apart by one of its members: what a command takes or returns, or a list of
 * that. Its cases are things of a kind. */
static const struct wanted {
    const char *kind, *command, *of;
} wanted[] = {
    {"audiodev", "query-audiodevs", "ret-type"},
    {"blockdev", "blockdev-add", "arg-type"},
    {"display", "query-display-options", "ret-type"},
    {"netdev", "netdev_add", "arg-type"},
    {"object", "object-add", "arg-type"},
};

/* ---- entries by their names ---- */

json_t *schema_index(const json_t *schema) {
    json_t *by_name = json_object();
    size_t i;
    json_t *entry;
    json_array_foreach(schema, i, entry) {
        if (json_object_set(by_name, json_text(entry, "name"), entry) < 0) {
            json_decref(by_name);
            return NULL;
        }
    }
    return by_name;
}

static const json_t *type_of(const json_t *by_name, const json_t *object, const char *key) {
    return json_object_get(by_name, json_text(object, key));
}

const json_t *schema_type_of(const json_t *by_name, const char *command, const char *of) {
    const json_t *type = type_of(by_name, json_object_get(by_name, command), of);
    const json_t *element = type_of(by_name, type, "element-type");
    return element ? element : type;
}

const json_t *schema_member(const json_t *type, const char *name) {
    size_t i;
    const json_t *member;
    json_array_foreach(json_object_get(type, "members"), i, member) {
        if (strcmp(json_text(member, "name"), name) == 0)
            return member;
    }
    return NULL;
}

/* ---- unions ---- */

static void add_members(struct strv *words, const json_t *type) {
    size_t i;
    const json_t *member;
    json_array_foreach(json_object_get(type, "members"), i, member)
        strv_add(words, json_text(member, "name"));
}

/* What all have, and what is only of this case. */
static int properties_of(struct capability_list *list, const json_t *by_name, const json_t *type,
                         const json_t *variant) {
    _cleanup_strv_ struct strv words = {0};
    add_members(&words, type);
    add_members(&words, type_of(by_name, variant, "type"));
    return capability_list_add_set(list, &words);
}

static void add_union(struct capability_list *list, struct schema_types *types,
                      const struct wanted *what) {
    const json_t *type = schema_type_of(types->by_name, what->command, what->of);
    size_t i;
    const json_t *variant;
    json_array_foreach(json_object_get(type, "variants"), i, variant) {
        int set = properties_of(list, types->by_name, type, variant);
        capability_list_add(list, what->kind, json_text(variant, "case"), set, "");
    }
    schema_types_add(types, what->kind, type);
}

/* ---- the whole ---- */

/* What -action takes. */
static void add_action(struct schema_types *types) {
    schema_types_add(types, "action", schema_type_of(types->by_name, "set-action", "arg-type"));
}

/* QEMU's answer about a TPM has what its backend was made of, which is within "data". */
static void add_tpm_backends(struct schema_types *types) {
    const json_t *by_name = types->by_name;
    const json_t *answer = schema_type_of(by_name, "query-tpm", "ret-type");
    const json_t *options = type_of(by_name, schema_member(answer, "options"), "type"), *variant;
    size_t i;
    json_array_foreach(json_object_get(options, "variants"), i, variant) {
        const json_t *data = schema_member(type_of(by_name, variant, "type"), "data");
        const json_t *type = type_of(by_name, data, "type");
        _cleanup_free_ char *name = format_string("tpm.%s", json_text(variant, "case"));
        types->failed = types->failed || !name;
        if (name && type)
            schema_types_add(types, name, type);
    }
}

static void add_commands(struct capability_list *list, const json_t *schema) {
    size_t i;
    const json_t *entry;
    json_array_foreach(schema, i, entry) if (strcmp(json_text(entry, "meta-type"), "command") == 0)
        capability_list_add(list, "command", json_text(entry, "name"), PROPERTIES_NONE, "");
}

int schema_add(struct capability_list *list, const json_t *schema) {
    _cleanup_json_ json_t *by_name = schema_index(schema);
    if (!by_name)
        return -ENOMEM;
    struct schema_types types = {.list = list, .by_name = by_name};
    add_commands(list, schema);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        add_union(list, &types, &wanted[i]);
    add_action(&types);
    add_tpm_backends(&types);
    int r = schema_types_finish(&types);
    schema_types_release(&types);
    return r;
}
