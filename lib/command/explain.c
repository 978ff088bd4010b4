/* SPDX-License-Identifier: MIT */
/* A command -> where each of its arguments comes from, as JSON or for people. */
#include <string.h>

#include "base/error.h"
#include "command/argument-json.h"
#include "command/command.h"
#include "command/option-text.h"
#include "qemu/program.h"
#include "util/export.h"

/* ---- as JSON ---- */

/* Of an argument, those that come from elsewhere than it itself. */
static void add_settings(struct argument_writer *writer, json_t *argument,
                         const struct options *options, const struct option *option, size_t index) {
    json_t *array = NULL;
    for (size_t i = 0; writer->code == 0 && i < option->count; i++) {
        const struct setting *setting = option_setting(options, option, i);
        struct strbuf value = {0};
        if (!origin_is_said(&setting->origin))
            continue;
        if (!array)
            argument_add(writer, argument, "settings", array = json_array());
        json_t *object = writer->code == 0 ? argument_append(writer, array) : NULL;
        setting_add_value(setting, &value);
        argument_add_text(writer, object, "name", setting->name, index);
        argument_add_buffer(writer, object, "value", &value, index);
        argument_add_origin(writer, object, &setting->origin);
    }
}

static void add_program(struct argument_writer *writer, json_t *arguments,
                        const vqemu_command *command) {
    for (size_t i = 0; writer->code == 0 && i < command_program_word_count(command); i++) {
        json_t *argument = argument_append(writer, arguments);
        argument_add(writer, argument, "index", json_integer((json_int_t)i));
        argument_add_text(writer, argument, "value", command->argv.items[i], i);
        argument_add(writer, argument, "message",
                     json_string(program_argument_message(command->runtime, i)));
    }
}

static void add_options(struct argument_writer *writer, json_t *arguments,
                        const vqemu_command *command) {
    size_t index = command_program_word_count(command);
    for (size_t i = 0; writer->code == 0 && i < command->options.count; i++) {
        const struct option *option = &command->options.items[i];
        const char *spelling = option_spelling(option->name);
        size_t count = option_argument_count(option);
        json_t *argument = argument_append(writer, arguments);
        argument_add(writer, argument, "index", json_integer((json_int_t)index));
        if (spelling)
            argument_add(writer, argument, "option", json_string(spelling));
        if (!spelling || count > 1)
            argument_add_text(writer, argument, "value", command->argv.items[index + count - 1],
                              index);
        argument_add_origin(writer, argument, &option->origin);
        add_settings(writer, argument, &command->options, option, index);
        index += count;
    }
}

static int explain_as_json(const vqemu_command *command, char **text, vqemu_error **error) {
    struct argument_writer writer = {.error = error, .way_out = "; ask for it as text"};
    _cleanup_json_ json_t *root = json_object();
    json_t *arguments = json_array();
    argument_add(&writer, root, "arguments", arguments);
    if (writer.code == 0)
        add_program(&writer, arguments, command);
    if (writer.code == 0)
        add_options(&writer, arguments, command);
    return writer.code < 0 ? writer.code : json_to_text(root, text, error);
}

/* ---- for people ---- */

#define WORDS_MAX ((size_t)44) /* what is longer stands out of its column */
#define KEY_MAX ((size_t)34)

/* A line that is being written: words, key, message. */
struct line {
    struct strbuf *text;
    size_t start;
};

static struct line begin_line(struct strbuf *text) {
    return (struct line){text, text->length};
}

static void pad(struct line *line, size_t column) {
    size_t length = line->text->length - line->start;
    do
        strbuf_add_char(line->text, ' ');
    while (++length < column);
}

/* What a terminal would obey is written as an error writes it. */
static void add_words(struct line *line, const char *words) {
    _cleanup_free_ char *printable = make_printable(words);
    if (printable)
        strbuf_add(line->text, printable);
    else
        line->text->failed = true;
}

static void end_line(struct line *line, const struct origin *origin) {
    struct strbuf key = {0};
    if (origin_is_said(origin)) {
        pad(line, WORDS_MAX);
        origin_add_key(origin, &key);
        strbuf_add(line->text, key.length ? key.text : "-");
        line->text->failed = line->text->failed || key.failed;
        strbuf_release(&key);
    }
    if (origin->message) {
        pad(line, WORDS_MAX + KEY_MAX);
        strbuf_add(line->text, origin->message);
    }
    strbuf_add_char(line->text, '\n');
}

static void explain_program(struct strbuf *text, const vqemu_command *command) {
    for (size_t i = 0; i < command_program_word_count(command); i++) {
        const struct origin origin = origin_none(program_argument_message(command->runtime, i));
        struct line line = begin_line(text);
        add_words(&line, command->argv.items[i]);
        end_line(&line, &origin);
    }
}

static void explain_setting(struct strbuf *text, const struct setting *setting) {
    struct strbuf words = {0};
    struct line line = begin_line(text);
    strbuf_addf(&words, "%s=", setting->name);
    setting_add_value(setting, &words);
    _cleanup_free_ char *taken = strbuf_take(&words);
    strbuf_add(text, "    ");
    if (taken)
        add_words(&line, taken);
    text->failed = text->failed || !taken;
    end_line(&line, &setting->origin);
}

static void explain_option(struct strbuf *text, const struct options *options,
                           const struct option *option) {
    const char *spelling = option_spelling(option->name);
    struct line line = begin_line(text);
    if (spelling)
        strbuf_add(text, spelling);
    if (spelling && option->head)
        strbuf_add_char(text, ' ');
    if (option->head)
        add_words(&line, option->head);
    end_line(&line, &option->origin);
    for (size_t i = 0; i < option->count; i++)
        explain_setting(text, option_setting(options, option, i));
}

static int explain_as_text(const vqemu_command *command, char **text, vqemu_error **error) {
    struct strbuf lines = {0};
    explain_program(&lines, command);
    for (size_t i = 0; i < command->options.count; i++)
        explain_option(&lines, &command->options, &command->options.items[i]);
    *text = strbuf_take(&lines);
    return *text ? 0 : error_no_memory(error);
}

/* ---- both ---- */

VQEMU_EXPORT int vqemu_command_explain(const vqemu_command *command, uint32_t flags, char **text,
                                       vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(text, error);
    *text = NULL;
    REQUIRE_ARGUMENT(command, error);
    REQUIRE_FLAGS(flags, VQEMU_EXPLAIN_AS_TEXT, error);
    int r = command_require_origins(command, error);
    if (r < 0)
        return r;
    return flags & VQEMU_EXPLAIN_AS_TEXT ? explain_as_text(command, text, error)
                                         : explain_as_json(command, text, error);
}
