/* SPDX-License-Identifier: MIT */
/* Where the arguments of commands come from: of each golden command, every one. */
#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "base/json.h"
#include "command/command.h"
#include "guest-case.h"
#include "run.h"
#include "vm/vm.h"

static vqemu_command *make_command(vqemu_runtime *runtime, const vqemu_vm *vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = NULL;
    int r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return command;
}

static vqemu_command *build_simple(const char *json) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime = runtime_at(
        selection, runtime_paths("/t/bin/qemu", "/t/firmware", "/t/lib", NULL, "/t/lib/ld.so"));
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(json, strlen(json), NULL, 0, &vm, NULL), 0);
    return make_command(runtime, vm);
}

static char *explain(const vqemu_command *command, uint32_t flags) {
    _cleanup_error_ vqemu_error *error = NULL;
    char *text = NULL;
    int r = vqemu_command_explain(command, flags, &text, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return text;
}

static json_t *parse(const char *text) {
    json_t *document = NULL;
    ck_assert_int_eq(json_parse_object(text, strlen(text), "text", &document, NULL), 0);
    return document;
}

/* ---- keys ---- */

/* What a document has at "disks[0].backing[1].file"; NULL if nothing is set there. All that is
 * behind the full stop of named values is a name. */
static const json_t *find_key(const json_t *document, const char *key) {
    const json_t *found = document;
    size_t values = strcspn(key, ".");
    _cleanup_free_ char *first = strndup(key, values);
    if (key[values] && json_is_object(json_object_get(document, first)))
        return json_object_get(json_object_get(document, first), key + values + 1);
    while (found && *key) {
        size_t length = strcspn(key, ".[");
        _cleanup_free_ char *word = strndup(key, length);
        found = json_object_get(found, word);
        key += length;
        if (*key == '[') {
            found = json_array_get(found, strtoul(key + 1, NULL, 10));
            key += strcspn(key, "]") + 1;
        }
        key += *key == '.';
    }
    return found;
}

/* A list that is empty is not set. */
static bool is_set(const json_t *document, const char *key) {
    const json_t *found = find_key(document, key);
    return found && !(json_is_array(found) && json_array_size(found) == 0);
}

static bool is_known(const vqemu_vm *vm, const char *key) {
    const char *value;
    return vqemu_vm_get_string(vm, key, &value, NULL) != VQEMU_ERR_UNKNOWN_KEY;
}

/* What the VM says has no message, and a default is nothing that the VM says. */
static void check_origin(const vqemu_vm *vm, const json_t *document, const json_t *said,
                         const char *words) {
    const char *key = json_text(said, "key"), *message = json_text(said, "message");
    bool is_default = json_is_true(json_object_get(said, "default"));
    ck_assert_int_eq(is_default, strncmp(message, "default", strlen("default")) == 0);
    ck_assert_msg(*key || *message, "%s: comes from nowhere", words);
    ck_assert_msg(!*key || is_known(vm, key), "%s: no key %s", words, key);
    ck_assert_msg(!*key || *message || is_set(document, key), "%s: %s is not set", words, key);
    ck_assert_msg(!is_default || *key, "%s: a default of no key", words);
    ck_assert_msg(!is_default || !is_set(document, key), "%s: %s is set: %s", words, key, message);
}

/* ---- all golden commands ---- */

/* Returns the index of the argument behind it. */
static size_t check_words(const json_t *argument, size_t index, char *const *argv) {
    const char *option = json_string_value(json_object_get(argument, "option"));
    const char *value = json_string_value(json_object_get(argument, "value"));
    ck_assert_uint_eq((size_t)json_integer_value(json_object_get(argument, "index")), index);
    ck_assert(option || value);
    if (option)
        ck_assert_str_eq(argv[index++], option);
    if (value)
        ck_assert_str_eq(argv[index++], value);
    return index;
}

static void check_settings(const vqemu_vm *vm, const json_t *document, json_t *argument) {
    json_t *setting;
    size_t i;
    json_array_foreach(json_object_get(argument, "settings"), i, setting) {
        const char *name = json_text(setting, "name");
        ck_assert_ptr_nonnull(json_object_get(setting, "value"));
        ck_assert_msg(*name && strstr(json_text(argument, "value"),
                                      strrchr(name, '.') ? strrchr(name, '.') + 1 : name),
                      "%s is not in %s", name, json_text(argument, "value"));
        check_origin(vm, document, setting, name);
    }
}

static void check_arguments(const vqemu_vm *vm, const json_t *document,
                            const vqemu_command *command, const json_t *arguments) {
    char *const *argv = vqemu_command_argv(command);
    json_t *argument;
    size_t i, index = 0;
    json_array_foreach(arguments, i, argument) {
        size_t start = index;
        index = check_words(argument, index, argv);
        check_origin(vm, document, argument, argv[start]);
        check_settings(vm, document, argument);
    }
    ck_assert_ptr_null(argv[index]);
}

START_TEST(every_argument_has_a_key_or_a_message) {
    _cleanup_free_ char *path = case_path(_i, "vm.json");
    _cleanup_runtime_ vqemu_runtime *runtime = make_case_runtime(_i);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_free_ char *text = NULL;
    ck_assert_int_eq(vqemu_vm_from_file(path, 0, &vm, NULL), 0);
    _cleanup_command_ vqemu_command *command = make_command(runtime, vm);
    ck_assert_int_eq(vqemu_vm_to_json(vm, 0, &text, NULL), 0);
    _cleanup_json_ json_t *document = parse(text);
    _cleanup_free_ char *json = explain(command, 0);
    _cleanup_json_ json_t *explained = parse(json);
    check_arguments(vm, document, command, json_object_get(explained, "arguments"));
}
END_TEST

/* As it is in the JSON, in a form for people. */
START_TEST(the_text_has_every_argument) {
    _cleanup_free_ char *path = case_path(_i, "vm.json");
    _cleanup_runtime_ vqemu_runtime *runtime = make_case_runtime(_i);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_file(path, 0, &vm, NULL), 0);
    _cleanup_command_ vqemu_command *command = make_command(runtime, vm);
    _cleanup_free_ char *text = explain(command, VQEMU_EXPLAIN_AS_TEXT);
    for (char *const *word = vqemu_command_argv(command); *word; word++) {
        _cleanup_free_ char *shown = make_printable(*word);
        size_t head = strcspn(shown, ",={");
        _cleanup_free_ char *begin = strndup(shown, head);
        ck_assert_msg(strstr(text, begin), "%s is not in\n%s", begin, text);
    }
    for (const char *c = text; *c; c++)
        ck_assert((unsigned char)*c >= 0x20 || *c == '\n');
}
END_TEST

/* ---- single ones ---- */

static const json_t *argument_of(const json_t *explained, const char *option) {
    const json_t *arguments = json_object_get(explained, "arguments");
    for (size_t i = 0; i < json_array_size(arguments); i++) {
        const json_t *argument = json_array_get(arguments, i);
        if (strcmp(json_text(argument, "option"), option) == 0)
            return argument;
    }
    return NULL;
}

START_TEST(keys_are_named) {
    _cleanup_command_ vqemu_command *command = build_simple(
        "{\"name\": \"x\", \"kernel\": \"/k\", \"memory\": 512, \"nics\": [{\"mac\": "
        "\"52:54:00:00:00:01\"}], \"cpu_features\": {\"aes\": true}, \"extra_args\": [\"-y\"]}");
    _cleanup_free_ char *json = explain(command, 0);
    _cleanup_json_ json_t *explained = parse(json);
    const json_t *memory = argument_of(explained, "-m"), *cpu = argument_of(explained, "-cpu");
    ck_assert_str_eq(json_text(memory, "key"), "memory");
    ck_assert_str_eq(json_text(memory, "value"), "512");
    ck_assert_ptr_null(json_object_get(memory, "message"));
    const json_t *aes = json_array_get(json_object_get(cpu, "settings"), 0);
    ck_assert_str_eq(json_text(aes, "name"), "aes");
    ck_assert_str_eq(json_text(aes, "key"), "cpu_features.aes");
    ck_assert(strncmp(json_text(cpu, "message"), "default: ", strlen("default: ")) == 0);
    ck_assert_ptr_nonnull(strstr(json, "\"key\": \"nics[0].mac\""));
    ck_assert_ptr_nonnull(strstr(json, "\"key\": \"extra_args[0]\""));
}
END_TEST

static const json_t *setting_of(const json_t *argument, const char *name) {
    const json_t *settings = json_object_get(argument, "settings");
    for (size_t i = 0; i < json_array_size(settings); i++)
        if (strcmp(json_text(json_array_get(settings, i), "name"), name) == 0)
            return json_array_get(settings, i);
    return NULL;
}

/* By the key that gives it, or would. */
START_TEST(places_are_named) {
    _cleanup_command_ vqemu_command *command =
        build_simple("{\"name\": \"x\", \"kernel\": \"/k\", \"nics\": [{\"id\": \"l.an\"}], "
                     "\"slots\": {\"l.an\": \"0x5\"}}");
    _cleanup_command_ vqemu_command *other =
        build_simple("{\"name\": \"x\", \"kernel\": \"/k\", \"nics\": [{}]}");
    _cleanup_free_ char *json = explain(command, 0), *other_json = explain(other, 0);
    _cleanup_json_ json_t *given = parse(json), *own = parse(other_json);
    const json_t *address = setting_of(argument_of(given, "-device"), "addr");
    ck_assert_str_eq(json_text(address, "key"), "slots.l.an");
    ck_assert_ptr_null(json_object_get(address, "message"));
    address = setting_of(argument_of(own, "-device"), "addr");
    ck_assert_str_eq(json_text(address, "key"), "slots.nic0");
    ck_assert_ptr_nonnull(strstr(json_text(address, "message"), "own place"));
}
END_TEST

START_TEST(what_a_terminal_obeys_is_not_shown) {
    _cleanup_command_ vqemu_command *command =
        build_simple("{\"name\": \"x\", \"kernel\": \"/k\\u001b[2J\", \"append\": \"a\\nb\"}");
    _cleanup_free_ char *text = explain(command, VQEMU_EXPLAIN_AS_TEXT);
    ck_assert_ptr_null(strchr(text, '\x1b'));
    ck_assert_ptr_nonnull(strstr(text, "-kernel /k\\x1B[2J"));
}
END_TEST

START_TEST(what_is_not_utf_8_is_told_as_text_alone) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths("/t/bin/qemu", "/t/firmware", NULL, NULL, NULL));
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    char *json = (char *)&error;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "kernel", "/k\xff", NULL), 0);
    _cleanup_command_ vqemu_command *command = make_command(runtime, vm);
    ck_assert_int_eq(vqemu_command_explain(command, 0, &json, &error), VQEMU_ERR_UNSUPPORTED);
    ck_assert_str_eq(vqemu_error_reason(error), "not-utf-8");
    ck_assert_ptr_null(json);
    _cleanup_free_ char *text = explain(command, VQEMU_EXPLAIN_AS_TEXT);
    ck_assert_ptr_nonnull(strstr(text, "-kernel /k\\xFF"));
}
END_TEST

START_TEST(a_loaded_command_is_not_explained) {
    _cleanup_command_ vqemu_command *command =
        build_simple("{\"name\": \"x\", \"kernel\": \"/k\"}");
    _cleanup_command_ vqemu_command *loaded = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *saved = NULL;
    char *text = (char *)&error;
    ck_assert_int_eq(vqemu_command_save(command, 0, &saved, NULL), 0);
    ck_assert_int_eq(vqemu_command_load(saved, strlen(saved), NULL, 0, NULL, &loaded, NULL), 0);
    ck_assert_int_eq(vqemu_command_explain(loaded, 0, &text, &error), VQEMU_ERR_UNSUPPORTED);
    ck_assert_str_eq(vqemu_error_reason(error), "loaded-command");
    ck_assert_ptr_null(text);
}
END_TEST

START_TEST(wrong_calls_are_refused) {
    _cleanup_command_ vqemu_command *command =
        build_simple("{\"name\": \"x\", \"kernel\": \"/k\"}");
    char *text = NULL;
    ck_assert_int_eq(vqemu_command_explain(NULL, 0, &text, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_explain(command, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_explain(command, 2, &text, NULL), VQEMU_ERR_USAGE);
    ck_assert_ptr_null(text);
}
END_TEST

int main(void) {
    find_cases("commands");
    Suite *suite = suite_create("explain");
    TCase *tests = tcase_create("explain");
    tcase_add_loop_test(tests, every_argument_has_a_key_or_a_message, 0, case_count);
    tcase_add_loop_test(tests, the_text_has_every_argument, 0, case_count);
    tcase_add_test(tests, keys_are_named);
    tcase_add_test(tests, places_are_named);
    tcase_add_test(tests, what_a_terminal_obeys_is_not_shown);
    tcase_add_test(tests, what_is_not_utf_8_is_told_as_text_alone);
    tcase_add_test(tests, a_loaded_command_is_not_explained);
    tcase_add_test(tests, wrong_calls_are_refused);
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
