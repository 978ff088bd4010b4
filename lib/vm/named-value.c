/* SPDX-License-Identifier: MIT */
#include "vm/named-value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static size_t index_of(const struct named_values *values, const char *name) {
    size_t i = 0;
    while (i < values->count && strcmp(values->items[i].name, name) != 0)
        i++;
    return i;
}

const struct named_value *named_values_find(const struct named_values *values, const char *name) {
    size_t i = index_of(values, name);
    return i < values->count ? &values->items[i] : NULL;
}

static void release(struct named_value *item) {
    free(item->name);
    free(item->text);
}

static bool make(struct named_value *item, const char *name, const struct value *value) {
    *item = (struct named_value){strdup(name), *value, NULL};
    if (value->kind == VALUE_TEXT)
        item->text = strdup(value->text);
    item->value.text = item->text;
    if (item->name && (item->text || value->kind != VALUE_TEXT))
        return true;
    release(item);
    return false;
}

bool named_values_set(struct named_values *values, const char *name, const struct value *value) {
    struct named_value item;
    size_t i = index_of(values, name);
    if (!make(&item, name, value))
        return false;
    if (i < values->count) {
        release(&values->items[i]);
        values->items[i] = item;
        return true;
    }
    struct named_value *items = reallocarray(values->items, values->count + 1, sizeof *items);
    if (!items) {
        release(&item);
        return false;
    }
    values->items = items;
    values->items[values->count++] = item;
    return true;
}

void named_values_remove(struct named_values *values, const char *name) {
    size_t i = index_of(values, name);
    if (i == values->count)
        return;
    release(&values->items[i]);
    values->count--;
    memmove(&values->items[i], &values->items[i + 1], (values->count - i) * sizeof *values->items);
}

void named_values_release(struct named_values *values) {
    for (size_t i = 0; i < values->count; i++)
        release(&values->items[i]);
    free(values->items);
    *values = (struct named_values){0};
}

void value_add_text(const struct value *value, struct strbuf *buffer) {
    if (value->kind == VALUE_SWITCH)
        strbuf_add(buffer, value->on ? "on" : "off");
    else if (value->kind == VALUE_NUMBER)
        strbuf_addf(buffer, "%" PRIu64, value->number);
    else
        strbuf_add(buffer, value->text);
}
