/* SPDX-License-Identifier: MIT */
/* What two commands differ in, setting by setting, with where each side of it comes from. */
#include <string.h>

#include "base/error.h"
#include "command/argument-json.h"
#include "command/command.h"
#include "command/hardware.h"
#include "command/option-text.h"
#include "qemu/program.h"
#include "util/export.h"

/* ---- what belongs together ---- */

#define NO_PARTNER SIZE_MAX

/* An option or a setting, and which of the other side is the same thing. */
struct item {
    char *identity, *text;
    size_t partner;
};

struct items {
    struct item *list;
    size_t count;
    bool failed;
};

static void items_release(struct items *items) {
    for (size_t i = 0; i < items->count; i++) {
        free(items->list[i].identity);
        free(items->list[i].text);
    }
    free(items->list);
}

#define _cleanup_items_ __attribute__((cleanup(items_release)))

static struct items items_new(size_t count) {
    struct item *list = calloc(count + 1, sizeof *list);
    return (struct items){.list = list, .count = list ? count : 0, .failed = !list};
}

static void set_item(struct items *items, size_t index, struct strbuf *identity,
                     struct strbuf *text) {
    struct item *item = &items->list[index];
    *item = (struct item){strbuf_take(identity), strbuf_take(text), NO_PARTNER};
    items->failed = items->failed || !item->identity || !item->text;
}

static void pair(struct items *from, struct items *to, bool is_same_text) {
    for (size_t i = 0; i < from->count; i++)
        for (size_t j = 0; j < to->count && from->list[i].partner == NO_PARTNER; j++) {
            struct item *old = &from->list[i], *new = &to->list[j];
            if (new->partner != NO_PARTNER || strcmp(old->identity, new->identity) != 0 ||
                (is_same_text && strcmp(old->text, new->text) != 0))
                continue;
            old->partner = j;
            new->partner = i;
        }
}

/* Of several that have the same name, and no id, those that are equal belong together; the others
 * do in their order. */
static bool pair_all(struct items *from, struct items *to) {
    if (from->failed || to->failed)
        return false;
    pair(from, to, true);
    pair(from, to, false);
    return true;
}

/* ---- options and settings as such things ---- */

/* By which other options name it; NULL if they do not. */
static const char *option_id(const struct options *options, const struct option *option) {
    const struct setting *id = option_find(options, option, "id");
    if (!id)
        id = option_find(options, option, "node-name");
    return id && id->kind == SETTING_TEXT ? id->text : NULL;
}

static struct items items_of_options(const struct options *options) {
    struct items items = items_new(options->count);
    for (size_t i = 0; i < items.count; i++) {
        const struct option *option = &options->items[i];
        const char *spelling = option_spelling(option->name), *id = option_id(options, option);
        struct strbuf identity = {0}, text = {0};
        strbuf_addf(&identity, "%s %s", spelling ? spelling : "", id ? id : "");
        option_add_text(options, option, &text);
        set_item(&items, i, &identity, &text);
    }
    return items;
}

static struct items items_of_settings(const struct options *options, const struct option *option) {
    struct items items = items_new(option->count);
    for (size_t i = 0; i < items.count; i++) {
        const struct setting *setting = option_setting(options, option, i);
        struct strbuf identity = {0}, text = {0};
        strbuf_add(&identity, setting->name);
        setting_add_value(setting, &text);
        set_item(&items, i, &identity, &text);
    }
    return items;
}

/* ---- one change ---- */

/* One side of it. */
struct side {
    const vqemu_command *command;
    const struct option *option;   /* NULL: a word before the options, or none */
    const struct setting *setting; /* NULL: the head, or the whole option */
    const char *text;              /* NULL: this side has it not */
    struct origin origin;
    size_t index; /* in argv */
};

struct diff {
    const vqemu_command *from, *to;
    struct argument_writer writer;
    json_t *changes; /* borrowed */
};

static void add_side(struct diff *diff, json_t *change, const char *key, const struct side *side) {
    json_t *object = side->text ? json_object() : json_null();
    argument_add(&diff->writer, change, key, object);
    if (!side->text || diff->writer.code < 0)
        return;
    argument_add_text(&diff->writer, object, "value", side->text, side->index);
    argument_add_origin(&diff->writer, object, &side->origin);
}

static void add_names(struct diff *diff, json_t *change, const struct side *side) {
    const char *spelling = side->option ? option_spelling(side->option->name) : NULL;
    const char *id = side->option ? option_id(&side->command->options, side->option) : NULL;
    if (spelling)
        argument_add(&diff->writer, change, "option", json_string(spelling));
    if (id)
        argument_add_text(&diff->writer, change, "id", id, side->index);
    if (side->setting)
        argument_add_text(&diff->writer, change, "setting", side->setting->name, side->index);
}

static void add_change(struct diff *diff, const struct side *from, const struct side *to,
                       bool is_seen) {
    if (diff->writer.code < 0)
        return;
    json_t *change = argument_append(&diff->writer, diff->changes);
    if (diff->writer.code == 0)
        add_names(diff, change, from->text ? from : to);
    argument_add(&diff->writer, change, "guest", json_boolean(is_seen));
    add_side(diff, change, "from", from);
    add_side(diff, change, "to", to);
}

/* ---- options of both ---- */

static char *seen_of(const struct side *side) {
    return side->text ? hardware_seen(&side->command->options, side->option, side->setting)
                      : strdup("");
}

/* Of a setting, or of the heads. */
static void add_difference(struct diff *diff, const struct side *from, const struct side *to) {
    _cleanup_free_ char *old = seen_of(from), *new = seen_of(to);
    if (old && new)
        add_change(diff, from, to, strcmp(old, new) != 0);
    else if (diff->writer.code == 0)
        diff->writer.code = error_no_memory(diff->writer.error);
}

static struct side side_of_head(const struct side *option) {
    struct side side = *option;
    side.text = option->option->head;
    return side;
}

/* index: SIZE_MAX for a setting that this side has not. */
static struct side side_of_setting(const struct side *option, const struct items *items,
                                   size_t index) {
    struct side side = *option;
    side.text = NULL;
    if (index == NO_PARTNER)
        return side;
    side.setting = option_setting(&option->command->options, option->option, index);
    side.text = items->list[index].text;
    side.origin = *setting_origin(option->option, side.setting);
    return side;
}

static void compare_heads(struct diff *diff, const struct side *from, const struct side *to) {
    struct side old = side_of_head(from), new = side_of_head(to);
    if ((old.text || new.text) && (!old.text || !new.text || strcmp(old.text, new.text) != 0))
        add_difference(diff, &old, &new);
}

/* Those of the first in its order, and behind them those that only the second has. */
static void compare_settings(struct diff *diff, const struct side *from, const struct side *to) {
    _cleanup_items_ struct items old = items_of_settings(&from->command->options, from->option);
    _cleanup_items_ struct items new = items_of_settings(&to->command->options, to->option);
    if (!pair_all(&old, &new)) {
        diff->writer.code = error_no_memory(diff->writer.error);
        return;
    }
    for (size_t i = 0; i < old.count && diff->writer.code == 0; i++) {
        size_t partner = old.list[i].partner;
        struct side a = side_of_setting(from, &old, i), b = side_of_setting(to, &new, partner);
        if (!b.text || strcmp(a.text, b.text) != 0)
            add_difference(diff, &a, &b);
    }
    for (size_t i = 0; i < new.count && diff->writer.code == 0; i++) {
        struct side a = side_of_setting(from, &old, NO_PARTNER), b = side_of_setting(to, &new, i);
        if (new.list[i].partner == NO_PARTNER)
            add_difference(diff, &a, &b);
    }
}

/* ---- all options ---- */

static size_t index_of(const vqemu_command *command, size_t number) {
    size_t index = command_program_word_count(command);
    for (size_t i = 0; i < number; i++)
        index += option_argument_count(&command->options.items[i]);
    return index;
}

static struct side side_of_option(const vqemu_command *command, const struct items *items,
                                  size_t number) {
    struct side side = {.command = command};
    if (number == NO_PARTNER)
        return side;
    side.option = &command->options.items[number];
    side.text = items->list[number].text;
    side.origin = side.option->origin;
    side.index = index_of(command, number);
    return side;
}

static void compare_option(struct diff *diff, const struct side *from, const struct side *to) {
    if (from->text && to->text && strcmp(from->text, to->text) == 0)
        return;
    if (from->text && to->text) {
        compare_heads(diff, from, to);
        compare_settings(diff, from, to);
    } else {
        add_change(diff, from, to, hardware_shows(from->option ? from->option : to->option));
    }
}

static void compare_options(struct diff *diff) {
    _cleanup_items_ struct items old = items_of_options(&diff->from->options);
    _cleanup_items_ struct items new = items_of_options(&diff->to->options);
    if (diff->writer.code == 0 && !pair_all(&old, &new))
        diff->writer.code = error_no_memory(diff->writer.error);
    for (size_t i = 0; i < old.count && diff->writer.code == 0; i++) {
        struct side from = side_of_option(diff->from, &old, i);
        struct side to = side_of_option(diff->to, &new, old.list[i].partner);
        compare_option(diff, &from, &to);
    }
    for (size_t i = 0; i < new.count && diff->writer.code == 0; i++) {
        struct side from = side_of_option(diff->from, &old, NO_PARTNER);
        struct side to = side_of_option(diff->to, &new, i);
        if (new.list[i].partner == NO_PARTNER)
            compare_option(diff, &from, &to);
    }
}

/* ---- the program ---- */

static struct side side_of_word(const vqemu_command *command, size_t index) {
    struct side side = {.command = command, .index = index};
    if (index < command_program_word_count(command)) {
        side.text = command->argv.items[index];
        side.origin = origin_none(program_argument_message(command->runtime, index));
    }
    return side;
}

/* What executes QEMU, and QEMU's own path. */
static void compare_program(struct diff *diff) {
    for (size_t i = 0;; i++) {
        struct side from = side_of_word(diff->from, i), to = side_of_word(diff->to, i);
        if (!from.text && !to.text)
            return;
        if (!from.text || !to.text || strcmp(from.text, to.text) != 0)
            add_change(diff, &from, &to, false);
    }
}

/* ---- both commands ---- */

static int write_diff(struct diff *diff, char **json, vqemu_error **error) {
    _cleanup_json_ json_t *root = json_object();
    struct argument_writer *writer = &diff->writer;
    bool is_same = memcmp(&diff->from->digest, &diff->to->digest, sizeof diff->to->digest) == 0;
    bool is_same_hardware =
        memcmp(&diff->from->hardware, &diff->to->hardware, sizeof diff->to->hardware) == 0;
    diff->changes = json_array();
    argument_add(writer, root, "same_command", json_boolean(is_same));
    argument_add(writer, root, "same_hardware", json_boolean(is_same_hardware));
    argument_add(writer, root, "changes", diff->changes);
    if (writer->code == 0)
        compare_program(diff);
    if (writer->code == 0)
        compare_options(diff);
    return writer->code < 0 ? writer->code : json_to_text(root, json, error);
}

VQEMU_EXPORT int vqemu_command_diff(const vqemu_command *from, const vqemu_command *to,
                                    uint32_t flags, char **json, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(json, error);
    *json = NULL;
    REQUIRE_ARGUMENT(from, error);
    REQUIRE_ARGUMENT(to, error);
    REQUIRE_FLAGS(flags, 0, error);
    struct diff diff = {.from = from, .to = to, .writer = {.error = error, .way_out = ""}};
    int r = command_require_origins(from, error);
    if (r == 0)
        r = command_require_origins(to, error);
    return r < 0 ? r : write_diff(&diff, json, error);
}
