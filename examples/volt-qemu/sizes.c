/* SPDX-License-Identifier: MIT */
#include "sizes.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "json.h"
#include "message.h"
#include "table.h"
#include "text.h"

#define SHARERS_TOLD 3 /* to people */

/* ---- for programs ---- */

static json_t *sharers_json(const vqemu_size_list *sizes, size_t index) {
    json_t *array = json_array();
    for (size_t i = 0; i < vqemu_size_list_sharer_count(sizes, index); i++) {
        json_t *object = json_object();
        json_add_text(object, "name", vqemu_size_list_sharer_name(sizes, index, i));
        json_add_number(object, "bytes", vqemu_size_list_sharer_bytes(sizes, index, i));
        json_append(array, object);
    }
    return array;
}

json_t *sizes_json(const vqemu_size_list *sizes, const char *revision_name) {
    size_t i = 0, count = vqemu_size_list_count(sizes);
    while (i < count && strcmp(vqemu_size_list_revision_name(sizes, i), revision_name) != 0)
        i++;
    if (i == count)
        return json_null();
    json_t *object = json_object();
    json_add_number(object, "bytes", vqemu_size_list_bytes(sizes, i));
    json_add_number(object, "own_bytes", vqemu_size_list_own_bytes(sizes, i));
    json_add_number(object, "shared_bytes", vqemu_size_list_shared_bytes(sizes, i));
    json_add_number(object, "missing", vqemu_size_list_missing_count(sizes, i));
    json_add(object, "shared_with", sharers_json(sizes, i));
    json_add_number(object, "store_bytes", vqemu_size_list_total_bytes(sizes));
    json_add(object, "complete", json_boolean(vqemu_size_list_is_complete(sizes)));
    return object;
}

/* ---- for people ---- */

static void add_size(struct table *table, int64_t bytes) {
    _cleanup_free_ char *size = format_size(bytes);
    table_add(table, "%s", size);
}

static void add_sharers(struct table *table, const vqemu_size_list *sizes, size_t index) {
    _cleanup_free_ char *text = format_text("%s", "");
    size_t count = vqemu_size_list_sharer_count(sizes, index);
    for (size_t i = 0; i < count && i < SHARERS_TOLD; i++) {
        _cleanup_free_ char *size = format_size(vqemu_size_list_sharer_bytes(sizes, index, i));
        _cleanup_free_ char *sharer = format_text(
            "%s%s (%s)", i ? ", " : "", vqemu_size_list_sharer_name(sizes, index, i), size);
        text = append_text(text, sharer, strlen(sharer));
    }
    if (count > SHARERS_TOLD)
        table_add(table, "%s and %zu more", text, count - SHARERS_TOLD);
    else
        table_add(table, "%s", count ? text : "-");
}

void sizes_print(const vqemu_size_list *sizes) {
    static const struct column columns[] = {
        {"NAME", LEFT}, {"SIZE", RIGHT}, {"OWN", RIGHT}, {"SHARED", RIGHT}, {"SHARED WITH", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 5};
    _cleanup_free_ char *total = format_size(vqemu_size_list_total_bytes(sizes));
    for (size_t i = 0; i < vqemu_size_list_count(sizes); i++) {
        table_add(&table, "%s", vqemu_size_list_revision_name(sizes, i));
        add_size(&table, vqemu_size_list_bytes(sizes, i));
        add_size(&table, vqemu_size_list_own_bytes(sizes, i));
        add_size(&table, vqemu_size_list_shared_bytes(sizes, i));
        add_sharers(&table, sizes, i);
    }
    table_print(&table);
    printf("All revisions of the store together: %s\n", total);
}

void sizes_warn(const vqemu_size_list *sizes) {
    for (size_t i = 0; i < vqemu_size_list_count(sizes); i++) {
        long long missing = (long long)vqemu_size_list_missing_count(sizes, i);
        if (missing > 0)
            warn("%s lacks %lld of its objects, which are not counted: volt-qemu verify tells more",
                 vqemu_size_list_revision_name(sizes, i), missing);
    }
    if (!vqemu_size_list_is_complete(sizes))
        warn("a revision of the store is broken: what others seem to have of their own may be of "
             "it, too");
}
