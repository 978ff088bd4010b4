/* SPDX-License-Identifier: MIT */
/* A VM's properties by key. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "util/export.h"
#include "vm/key-path.h"
#include "vm/vm.h"

_Static_assert(
    TOGGLE_DEFAULT - 1 == VQEMU_SWITCH_DEFAULT && TOGGLE_OFF - 1 == VQEMU_SWITCH_OFF &&
        TOGGLE_ON - 1 == VQEMU_SWITCH_ON,
    "a toggle is one more than what a caller calls a switch: one in zeroed memory is not set");

/* What is set: the last property of the path, in this object. */
struct target {
    struct key_path path;
    void *object;
    struct key_growth growth; /* what was appended for it */
};

/* given: what the value is, for the error where the key is of another kind. */
static int begin_setting(vqemu_vm *vm, const char *key, enum key_kind kind, const char *given,
                         struct target *target, vqemu_error **error) {
    int r = key_parse(&vm_type, key, &target->path, error);
    if (r == 0 && target->path.kind != kind && target->path.kind != KEY_VALUE)
        r = key_wrong_kind(&target->path, given, error);
    return r < 0 ? r : key_make(&target->path, vm, &target->object, &target->growth, error);
}

static int end_setting(const struct target *target, int r) {
    if (r < 0)
        key_undo(&target->growth);
    return r;
}

/* Of a named value; NULL takes it away. */
static int set_value(const struct target *target, const struct value *value, vqemu_error **error) {
    const struct key_path *path = &target->path;
    return property_set_value(key_last(path)->property, target->object, path->text, path->name,
                              value, error);
}

/* ---- setting ---- */

static int set_string(const struct target *target, const char *value, vqemu_error **error) {
    const struct key_path *path = &target->path;
    const struct key_step *last = key_last(path);
    const struct value text = {.kind = VALUE_TEXT, .text = value};
    if (path->kind == KEY_VALUE)
        return set_value(target, value && *value ? &text : NULL, error);
    if (key_is_element(path))
        return property_set_element(last->property, target->object, path->text, last->index, value,
                                    error);
    return property_set_string(last->property, target->object, path->text, value, error);
}

VQEMU_EXPORT int vqemu_vm_set_string(vqemu_vm *vm, const char *key, const char *value,
                                     vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(key, error);
    struct target target;
    int r = begin_setting(vm, key, KEY_STRING, "a string", &target, error);
    return r < 0 ? r : end_setting(&target, set_string(&target, value, error));
}

/* 0 is what a caller has that closed its standard input, and opened something else. */
static int refuse_descriptor(const char *key, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%s: 0 is no descriptor that can be passed on: they are from 3 up", key);
    return error_because(r, error, "out-of-range", VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE, "0",
                         NULL);
}

static int set_number(const struct target *target, uint64_t value, vqemu_error **error) {
    const struct property *property = key_last(&target->path)->property;
    const struct value number = {.kind = VALUE_NUMBER, .number = value};
    if (target->path.kind == KEY_VALUE)
        return set_value(target, &number, error);
    if (property->is_descriptor && value == 0)
        return refuse_descriptor(target->path.text, error);
    return property_set_number(property, target->object, target->path.text, value, error);
}

VQEMU_EXPORT int vqemu_vm_set_number(vqemu_vm *vm, const char *key, uint64_t value,
                                     vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(key, error);
    struct target target;
    int r = begin_setting(vm, key, KEY_NUMBER, "a number", &target, error);
    return r < 0 ? r : end_setting(&target, set_number(&target, value, error));
}

static int set_switch(const struct target *target, int32_t value, vqemu_error **error) {
    const struct property *property = key_last(&target->path)->property;
    const struct value given = {.kind = VALUE_SWITCH, .on = value == VQEMU_SWITCH_ON};
    if (value < VQEMU_SWITCH_DEFAULT || value > VQEMU_SWITCH_ON) {
        char text[16];
        snprintf(text, sizeof text, "%d", (int)value);
        int r = error_set(error, VQEMU_ERR_INVALID, 0,
                          "%s: %s is no state of a switch: %d is the default, %d off, %d on",
                          target->path.text, text, VQEMU_SWITCH_DEFAULT, VQEMU_SWITCH_OFF,
                          VQEMU_SWITCH_ON);
        return error_because(r, error, "out-of-range", VQEMU_DETAIL_KEY, target->path.text,
                             VQEMU_DETAIL_VALUE, text, NULL);
    }
    if (target->path.kind == KEY_VALUE)
        return set_value(target, value == VQEMU_SWITCH_DEFAULT ? NULL : &given, error);
    *(enum toggle *)property_field(property, target->object) = (enum toggle)(value + 1);
    return 0;
}

VQEMU_EXPORT int vqemu_vm_set_switch(vqemu_vm *vm, const char *key, int32_t value,
                                     vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(key, error);
    struct target target;
    int r = begin_setting(vm, key, KEY_SWITCH, "a switch", &target, error);
    return r < 0 ? r : end_setting(&target, set_switch(&target, value, error));
}

/* ---- taking away ---- */

/* As key_find(), for changing what is there. */
static int find_target(vqemu_vm *vm, struct target *target, vqemu_error **error) {
    const void *found;
    int r = key_find(&target->path, vm, &found, error);
    return r < 0 ? r : key_make(&target->path, vm, &target->object, &target->growth, error);
}

VQEMU_EXPORT int vqemu_vm_unset(vqemu_vm *vm, const char *key, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(key, error);
    struct target target;
    int r = key_parse(&vm_type, key, &target.path, error);
    if (r == 0 && key_is_element(&target.path))
        r = key_wrong_kind(&target.path, "unset, but can be removed", error);
    if (r == 0)
        r = find_target(vm, &target, error);
    if (r < 0)
        return r;
    if (target.path.kind == KEY_VALUE)
        return set_value(&target, NULL, error);
    return property_unset(key_last(&target.path)->property, target.object, key, error);
}

VQEMU_EXPORT int vqemu_vm_remove(vqemu_vm *vm, const char *key, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(key, error);
    struct target target;
    int r = key_parse(&vm_type, key, &target.path, error);
    if (r == 0 && !key_is_element(&target.path))
        r = key_wrong_kind(&target.path, "an element of a list, such as disks[0]", error);
    if (r == 0)
        r = find_target(vm, &target, error);
    if (r < 0)
        return r;
    const struct key_step *last = key_last(&target.path);
    void *list = property_field(last->property, target.object);
    if (last->property->kind == PROPERTY_STRINGS)
        strv_remove(list, last->index);
    else
        object_list_remove(list, last->property->element, last->index);
    return 0;
}

/* ---- asking ---- */

/* What is asked: the last property of the path, of this object. */
struct source {
    struct key_path path;
    const void *object;
    const struct value *value; /* the named value that is asked for, if it is set */
};

static int begin_asking(const vqemu_vm *vm, const char *key, enum key_kind kind, const char *wanted,
                        struct source *source, vqemu_error **error) {
    bool may_be_value = kind != KEY_LIST;
    int r = key_parse(&vm_type, key, &source->path, error);
    if (r == 0 && source->path.kind != kind && !(source->path.kind == KEY_VALUE && may_be_value))
        r = key_wrong_kind(&source->path, wanted, error);
    return r < 0 ? r : key_find(&source->path, vm, &source->object, error);
}

static const void *field_of(const struct source *source) {
    return property_value(key_last(&source->path)->property, source->object);
}

/* What every getter begins with: one value is asked for, a property's own or a named one. */
static int ask_value(const vqemu_vm *vm, const char *key, enum key_kind kind,
                     enum value_kind value_kind, const char *wanted, struct source *source,
                     vqemu_error **error) {
    int r = begin_asking(vm, key, kind, wanted, source, error);
    source->value = NULL;
    if (r < 0 || source->path.kind != KEY_VALUE)
        return r;
    const struct named_value *item = named_values_find(field_of(source), source->path.name);
    if (item && item->value.kind != value_kind)
        return key_wrong_kind(&source->path, wanted, error);
    source->value = item ? &item->value : NULL;
    return 0;
}

static const char *text_of(const struct source *source) {
    if (source->path.kind == KEY_VALUE)
        return source->value ? source->value->text : NULL;
    if (key_is_element(&source->path))
        return ((const struct strv *)field_of(source))->items[key_last(&source->path)->index];
    return *(char *const *)field_of(source);
}

VQEMU_EXPORT int vqemu_vm_get_string(const vqemu_vm *vm, const char *key, const char **value,
                                     vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(value, error);
    *value = NULL;
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(key, error);
    struct source source;
    int r = ask_value(vm, key, KEY_STRING, VALUE_TEXT, "a string", &source, error);
    if (r == 0)
        *value = text_of(&source);
    return r;
}

static uint64_t number_of(const struct source *source) {
    if (source->path.kind == KEY_VALUE)
        return source->value ? source->value->number : 0;
    return *(const uint64_t *)field_of(source);
}

VQEMU_EXPORT int vqemu_vm_get_number(const vqemu_vm *vm, const char *key, uint64_t *value,
                                     vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(value, error);
    *value = 0;
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(key, error);
    struct source source;
    int r = ask_value(vm, key, KEY_NUMBER, VALUE_NUMBER, "a number", &source, error);
    if (r == 0)
        *value = number_of(&source);
    return r;
}

static int32_t switch_of(const struct source *source) {
    if (source->path.kind != KEY_VALUE)
        return (int32_t) * (const enum toggle *)field_of(source) - 1;
    if (!source->value)
        return VQEMU_SWITCH_DEFAULT;
    return source->value->on ? VQEMU_SWITCH_ON : VQEMU_SWITCH_OFF;
}

VQEMU_EXPORT int vqemu_vm_get_switch(const vqemu_vm *vm, const char *key, int32_t *value,
                                     vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(value, error);
    *value = VQEMU_SWITCH_DEFAULT;
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(key, error);
    struct source source;
    int r = ask_value(vm, key, KEY_SWITCH, VALUE_SWITCH, "a switch", &source, error);
    if (r == 0)
        *value = switch_of(&source);
    return r;
}

VQEMU_EXPORT int vqemu_vm_count(const vqemu_vm *vm, const char *key, size_t *count,
                                vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(count, error);
    *count = 0;
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(key, error);
    struct source source;
    int r = begin_asking(vm, key, KEY_LIST, "a list", &source, error);
    if (r < 0)
        return r;
    *count = property_count(key_last(&source.path)->property, source.object);
    return 0;
}
