/* SPDX-License-Identifier: MIT */
#include "command/option.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_OPTIONS 48
#define FIRST_SETTINGS 96

/* Room for one more; false without memory. */
static bool grow(void **items, size_t *capacity, size_t count, size_t size, size_t first) {
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? 2 * *capacity : first;
    void *grown = reallocarray(*items, wanted, size);
    if (!grown)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

/* ---- making them ---- */

struct option *option_new(struct options *options, enum option_name name, const char *head) {
    void *items = options->items;
    bool good =
        grow(&items, &options->capacity, options->count, sizeof *options->items, FIRST_OPTIONS);
    options->items = items;
    options->failed = options->failed || !good;
    if (!good)
        return NULL;
    struct option *option = &options->items[options->count++];
    option->name = name;
    option->head = head ? arena_text(&options->texts, head) : NULL;
    option->first = options->setting_count;
    option->count = 0;
    option->is_typed = false;
    return option;
}

void option_typed(struct options *options) {
    if (!options->failed)
        options->items[options->count - 1].is_typed = true;
}

/* Without a value; NULL without memory, for it or for a text. */
static struct setting *add_setting(struct options *options, const char *name,
                                   enum setting_kind kind) {
    void *settings = options->settings;
    bool good = grow(&settings, &options->setting_capacity, options->setting_count,
                     sizeof *options->settings, FIRST_SETTINGS);
    options->settings = settings;
    options->failed = options->failed || options->texts.failed || !good;
    if (options->failed)
        return NULL;
    options->items[options->count - 1].count++;
    struct setting *setting = &options->settings[options->setting_count++];
    *setting =
        (struct setting){.name = name, .kind = kind, .text = NULL, .number = 0, .origin = {0}};
    return setting;
}

static void add_text(struct options *options, const char *name, const char *text) {
    struct setting *setting = add_setting(options, name, SETTING_TEXT);
    if (setting)
        setting->text = text;
}

void option_text(struct options *options, const char *name, const char *value) {
    add_text(options, name, arena_text(&options->texts, value));
}

void option_textf(struct options *options, const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_textv(&options->texts, format, arguments);
    va_end(arguments);
    add_text(options, name, text);
}

void option_add(struct options *options, const char *name, enum setting_kind kind, uint64_t value) {
    struct setting *setting = add_setting(options, name, kind);
    if (setting)
        setting->number = value;
}

void option_number(struct options *options, const char *name, uint64_t value) {
    option_add(options, name, SETTING_NUMBER, value);
}

void option_hex(struct options *options, const char *name, uint64_t value) {
    option_add(options, name, SETTING_HEX, value);
}

void option_switch(struct options *options, const char *name, bool on) {
    option_add(options, name, SETTING_SWITCH, on);
}

static void add_word(struct options *options, const char *name, const char *value) {
    if (strcmp(value, "on") == 0 || strcmp(value, "off") == 0)
        option_switch(options, name, value[1] == 'n');
    else
        option_text(options, name, value);
}

void option_list(struct options *options, const char *list, struct origin origin) {
    for (const char *at = list; *at;) {
        size_t name = strcspn(at, "="), length = strcspn(at, ",");
        size_t value = name + 1 < length ? name + 1 : length;
        add_word(options, arena_bytes(&options->texts, at, name),
                 arena_bytes(&options->texts, at + value, length - value));
        option_from(options, origin);
        at += length + (at[length] == ',');
    }
}

static void reverse(struct option *items, size_t count) {
    for (size_t i = 0; i < count / 2; i++) {
        struct option kept = items[i];
        items[i] = items[count - 1 - i];
        items[count - 1 - i] = kept;
    }
}

/* Two halves change places when both and the whole are turned round. */
void options_move(struct options *options, size_t first, size_t place) {
    if (place >= first || first >= options->count)
        return;
    reverse(options->items + place, first - place);
    reverse(options->items + first, options->count - first);
    reverse(options->items + place, options->count - place);
}

void options_release(struct options *options) {
    free(options->items);
    free(options->settings);
    arena_release(&options->texts);
    *options = (struct options){0};
}

/* ---- looking at them ---- */

const struct origin *setting_origin(const struct option *option, const struct setting *setting) {
    return origin_is_said(&setting->origin) ? &setting->origin : &option->origin;
}

const struct setting *option_find(const struct options *options, const struct option *option,
                                  const char *name) {
    for (size_t i = 0; i < option->count; i++) {
        const struct setting *setting = option_setting(options, option, i);
        if (strcmp(setting->name, name) == 0)
            return setting;
    }
    return NULL;
}

const struct setting *option_find_text(const struct options *options, const struct option *option,
                                       const char *name) {
    const struct setting *setting = option_find(options, option, name);
    return setting && setting->kind == SETTING_TEXT ? setting : NULL;
}

const struct option *options_find(const struct options *options, enum option_name name,
                                  const char *setting, const char *text) {
    for (size_t i = 0; i < options->count; i++) {
        const struct option *option = &options->items[i];
        const struct setting *found =
            option->name == name ? option_find(options, option, setting) : NULL;
        if (found && found->text && strcmp(found->text, text) == 0)
            return option;
    }
    return NULL;
}
