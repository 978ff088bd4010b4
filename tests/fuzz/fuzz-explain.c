/* SPDX-License-Identifier: MIT */
/*
 * Where the arguments of a command come from, and what two commands differ in. The input is a
 * document {"from": a VM, "to": another}; in front of it can be what they are for (setting.h).
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "setting.h"
#include "util/cleanup.h"

static vqemu_command *build(vqemu_runtime *runtime, const json_t *document) {
    _cleanup_free_ char *text =
        document ? json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    vqemu_vm *vm = NULL;
    vqemu_command *command = NULL;
    if (text && vqemu_vm_from_json(text, strlen(text), NULL, 0, &vm, NULL) == 0)
        vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, NULL);
    vqemu_vm_free(vm);
    return command;
}

/* ---- explaining ---- */

static size_t argument_count(const vqemu_command *command) {
    size_t count = 0;
    while (vqemu_command_argv(command)[count])
        count++;
    return count;
}

/* A key, or a message in words; both where the message says why the key has its default. */
static void check_origin(const json_t *object, bool must_be_said) {
    const char *key = json_string_value(json_object_get(object, "key"));
    const char *message = json_string_value(json_object_get(object, "message"));
    FUZZ_CHECK(key || message || !must_be_said, "it comes from nowhere");
    FUZZ_CHECK(!key || *key, "a key without a name");
    FUZZ_CHECK(!message || (*message && fuzz_is_printable(message)), "the message \"%s\"", message);
}

static void check_setting(const json_t *setting, const char *value) {
    const char *name = json_string_value(json_object_get(setting, "name"));
    FUZZ_CHECK(name && *name, "a setting without a name");
    FUZZ_CHECK(value, "the setting %s of no value", name);
    check_origin(setting, true);
}

/* Each argument is told once, in their order, and as it is. */
static void check_argument(const vqemu_command *command, const json_t *argument, size_t *next) {
    char *const *argv = vqemu_command_argv(command);
    const char *option = json_string_value(json_object_get(argument, "option"));
    const char *value = json_string_value(json_object_get(argument, "value"));
    size_t i;
    const json_t *setting;
    FUZZ_CHECK((size_t)json_integer_value(json_object_get(argument, "index")) == *next,
               "the argument %zu is not told", *next);
    FUZZ_CHECK(option || value, "nothing at %zu", *next);
    if (option)
        FUZZ_CHECK(argv[*next] && strcmp(argv[(*next)++], option) == 0, "no option %s", option);
    if (value)
        FUZZ_CHECK(argv[*next] && strcmp(argv[(*next)++], value) == 0, "no value %s", value);
    check_origin(argument, true);
    json_array_foreach(json_object_get(argument, "settings"), i, setting)
        check_setting(setting, value);
}

static void check_lines(const char *text) {
    _cleanup_free_ char *copy = strdup(text);
    size_t length = strlen(text);
    FUZZ_CHECK(copy && length > 0 && text[length - 1] == '\n', "no lines");
    char *rest = copy;
    for (char *line; (line = strsep(&rest, "\n"));)
        FUZZ_CHECK(fuzz_is_printable(line), "no printable line: %s", line);
}

static bool is_utf8(const vqemu_command *command) {
    for (char *const *argument = vqemu_command_argv(command); *argument; argument++)
        if (!fuzz_is_utf8(*argument))
            return false;
    return true;
}

static void check_explained(const vqemu_command *command) {
    _cleanup_free_ char *text = NULL, *lines = NULL;
    vqemu_error *error = NULL;
    size_t next = 0, i;
    const json_t *argument;
    int r = vqemu_command_explain(command, 0, &text, &error);
    FUZZ_CHECK((fuzz_check_result(r, &error) == 0) == is_utf8(command), "explained: %d", r);
    json_t *all = text ? json_loads(text, 0, NULL) : NULL;
    FUZZ_CHECK(!text || all, "no JSON: %s", text);
    json_array_foreach(json_object_get(all, "arguments"), i, argument)
        check_argument(command, argument, &next);
    FUZZ_CHECK(!all || next == argument_count(command), "%zu of %zu are told", next,
               argument_count(command));
    r = vqemu_command_explain(command, VQEMU_EXPLAIN_AS_TEXT, &lines, &error);
    FUZZ_CHECK(fuzz_check_result(r, &error) == 0, "no text");
    check_lines(lines);
    json_decref(all);
}

/* ---- comparing ---- */

static const char *value_of(const json_t *change, const char *side) {
    return json_string_value(json_object_get(json_object_get(change, side), "value"));
}

static void check_change(const json_t *change, const char *former, const char *latter) {
    const json_t *from = json_object_get(change, former), *to = json_object_get(change, latter);
    FUZZ_CHECK(json_is_object(from) || json_is_object(to), "a change of nothing");
    FUZZ_CHECK(json_is_boolean(json_object_get(change, "guest")), "seen by whom?");
    if (json_is_object(from))
        check_origin(from, true);
    if (json_is_object(to))
        check_origin(to, true);
    if (json_is_object(from) && json_is_object(to))
        FUZZ_CHECK(value_of(change, former) && value_of(change, latter) &&
                       strcmp(value_of(change, former), value_of(change, latter)) != 0,
                   "no change of %s", value_of(change, former));
}

/* NULL where JSON cannot carry it. */
static json_t *differ(const vqemu_command *from, const vqemu_command *to) {
    _cleanup_free_ char *text = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_command_diff(from, to, 0, &text, &error);
    if (fuzz_check_result(r, &error) < 0) {
        FUZZ_CHECK(r == VQEMU_ERR_UNSUPPORTED && (!is_utf8(from) || !is_utf8(to)), "%d", r);
        return NULL;
    }
    json_t *diff = json_loads(text, 0, NULL);
    FUZZ_CHECK(diff, "no JSON: %s", text);
    return diff;
}

static bool is_same(const vqemu_command *from, const vqemu_command *to, const char *digest) {
    return strcmp(vqemu_command_digest(from, digest), vqemu_command_digest(to, digest)) == 0;
}

/* A change tells that the digests are others. */
static void check_compared(const vqemu_command *from, const vqemu_command *to) {
    json_t *diff = differ(from, to);
    bool same_command = is_same(from, to, VQEMU_DIGEST_COMMAND),
         same_hardware = is_same(from, to, VQEMU_DIGEST_HARDWARE);
    size_t i;
    const json_t *change, *changes = json_object_get(diff, "changes");
    if (!diff)
        return;
    FUZZ_CHECK(json_is_true(json_object_get(diff, "same_command")) == same_command, "the command");
    FUZZ_CHECK(json_is_true(json_object_get(diff, "same_hardware")) == same_hardware,
               "the hardware");
    FUZZ_CHECK(json_array_size(changes) == 0 || !same_command, "changes of the same command");
    json_array_foreach(changes, i, change) {
        check_change(change, "from", "to");
        FUZZ_CHECK(!same_hardware || !json_is_true(json_object_get(change, "guest")),
                   "the guest sees a change of the same hardware: %s %s", value_of(change, "from"),
                   value_of(change, "to"));
    }
    json_decref(diff);
}

/* The other way round there are as many, with the sides exchanged. */
static void check_both_ways(const vqemu_command *from, const vqemu_command *to) {
    json_t *there = differ(from, to), *back = differ(to, from);
    FUZZ_CHECK(!there == !back, "one way only");
    FUZZ_CHECK(json_array_size(json_object_get(there, "changes")) ==
                   json_array_size(json_object_get(back, "changes")),
               "%zu changes, and back %zu", json_array_size(json_object_get(there, "changes")),
               json_array_size(json_object_get(back, "changes")));
    json_decref(there);
    json_decref(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = fuzz_text(data, size);
    char *start = memchr(text, '{', size);
    unsigned flags;
    fuzz_begin(data, size);
    if (!start)
        return 0;
    json_t *document = json_loadb(start, size - (size_t)(start - text), 0, NULL);
    *start = '\0';
    const struct setting *setting = setting_choose(text, &flags);
    vqemu_command *from = build(setting->plain, json_object_get(document, "from"));
    vqemu_command *to = build(setting->plain, json_object_get(document, "to"));
    if (from) {
        check_explained(from);
        check_compared(from, from);
    }
    if (from && to) {
        check_compared(from, to);
        check_both_ways(from, to);
    }
    vqemu_command_unref(from);
    vqemu_command_unref(to);
    json_decref(document);
    return 0;
}
