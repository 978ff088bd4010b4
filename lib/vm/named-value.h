/* SPDX-License-Identifier: MIT */
/* Values whose names are not the library's but QEMU's, such as features of a CPU. */
#ifndef LIB_NAMED_VALUE_H
#define LIB_NAMED_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/strbuf.h"

#define VALUE_TEXT_MAX 255

enum value_kind { VALUE_SWITCH, VALUE_NUMBER, VALUE_TEXT };

struct value {
    enum value_kind kind;
    bool on;
    uint64_t number;
    const char *text;
};

struct named_value {
    char *name;
    struct value value;
    char *text; /* what value.text points to */
};

/* In the order in which they were set first. */
struct named_values {
    struct named_value *items;
    size_t count;
};

/* NULL if there is none. */
const struct named_value *named_values_find(const struct named_values *values, const char *name);

/* Add one, or set it anew; false without memory, when nothing is changed. */
bool named_values_set(struct named_values *values, const char *name, const struct value *value);

void named_values_remove(struct named_values *values, const char *name);
void named_values_release(struct named_values *values);

/* As QEMU reads it: "on", "off", digits, or the text. */
void value_add_text(const struct value *value, struct strbuf *buffer);

#endif
