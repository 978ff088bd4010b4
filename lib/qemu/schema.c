/* SPDX-License-Identifier: MIT */
#include "qemu/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A union that is told apart by one of its members: what a command takes or returns. */
static const struct wanted {
    const char *kind, *command, *of;
} wanted[] = {
    {"object", "object-add", "arg-type"},
    {"netdev", "netdev_add", "arg-type"},
    {"blockdev", "blockdev-add", "arg-type"},
    {"display", "query-display-options", "ret-type"},
};

/* ---- entries by their names ---- */

static json_t *index_of(const json_t *schema) {
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

static void add_union(struct capability_list *list, const json_t *by_name,
                      const struct wanted *what) {
    const json_t *command = json_object_get(by_name, what->command);
    const json_t *type = type_of(by_name, command, what->of);
    size_t i;
    const json_t *variant;
    json_array_foreach(json_object_get(type, "variants"), i, variant) {
        int set = properties_of(list, by_name, type, variant);
        capability_list_add(list, what->kind, json_text(variant, "case"), set, "");
    }
}

int schema_add(struct capability_list *list, const json_t *schema) {
    _cleanup_json_ json_t *by_name = index_of(schema);
    if (!by_name)
        return -ENOMEM;
    size_t i;
    const json_t *entry;
    json_array_foreach(schema, i, entry) if (strcmp(json_text(entry, "meta-type"), "command") == 0)
        capability_list_add(list, "command", json_text(entry, "name"), PROPERTIES_NONE, "");
    for (i = 0; i < sizeof wanted / sizeof *wanted; i++)
        add_union(list, by_name, &wanted[i]);
    return 0;
}
