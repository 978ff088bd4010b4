/* SPDX-License-Identifier: MIT */
/* What two commands differ in, and what of it the guest sees. */
#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "base/json.h"
#include "command/command.h"
#include "guest-case.h"
#include "run.h"
#include "vm/vm.h"

static vqemu_command *build_with(vqemu_runtime *runtime, const vqemu_vm *vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = NULL;
    int r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return command;
}

/* On a profile whose files are below a directory: another one for another revision. */
static vqemu_command *build_below(const char *tree, const char *json) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_free_ char *binary = format_string("%s/bin/qemu", tree);
    _cleanup_free_ char *firmware = format_string("%s/firmware", tree);
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths(binary, firmware, NULL, NULL, NULL));
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_json(json, strlen(json), NULL, 0, &vm, NULL), 0);
    return build_with(runtime, vm);
}

static vqemu_command *build_simple(const char *json) {
    return build_below("/t", json);
}

static json_t *diff(const vqemu_command *from, const vqemu_command *to) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *text = NULL;
    json_t *document = NULL;
    int r = vqemu_command_diff(from, to, 0, &text, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_int_eq(json_parse_object(text, strlen(text), "diff", &document, NULL), 0);
    return document;
}

static json_t *diff_of(const char *from, const char *to) {
    _cleanup_command_ vqemu_command *old = build_simple(from), *new = build_simple(to);
    return diff(old, new);
}

static const json_t *changes_of(const json_t *document) {
    return json_object_get(document, "changes");
}

static bool is_true(const json_t *object, const char *key) {
    ck_assert(json_is_boolean(json_object_get(object, key)));
    return json_is_true(json_object_get(object, key));
}

static bool is_any_seen(const json_t *document) {
    for (size_t i = 0; i < json_array_size(changes_of(document)); i++)
        if (is_true(json_array_get(changes_of(document), i), "guest"))
            return true;
    return false;
}

/* "-device drive0 serial"; what is not there is left out. */
static const json_t *find_change(const json_t *document, const char *words) {
    for (size_t i = 0; i < json_array_size(changes_of(document)); i++) {
        const json_t *change = json_array_get(changes_of(document), i);
        const char *id = json_text(change, "id"), *setting = json_text(change, "setting");
        _cleanup_free_ char *name = format_string("%s%s%s%s%s", json_text(change, "option"),
                                                  *id ? " " : "", id, *setting ? " " : "", setting);
        if (strcmp(name, words) == 0)
            return change;
    }
    return NULL;
}

/* key: also of a side that does not say it. */
static void check_side(const json_t *change, const char *name, const char *value, const char *key) {
    const json_t *side = json_object_get(change, name);
    if (!value) {
        ck_assert(json_is_null(side));
        return;
    }
    ck_assert_str_eq(json_text(side, "value"), value);
    ck_assert_str_eq(json_text(side, "key"), key);
}

static const char *message_of(const json_t *change, const char *side) {
    return json_text(json_object_get(change, side), "message");
}

/* ---- every golden command ---- */

static vqemu_command *build_case(int index) {
    _cleanup_free_ char *path = case_path(index, "vm.json");
    _cleanup_runtime_ vqemu_runtime *runtime = make_case_runtime(index);
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_from_file(path, 0, &vm, NULL), 0);
    return build_with(runtime, vm);
}

START_TEST(the_same_command_has_no_changes) {
    _cleanup_command_ vqemu_command *command = build_case(_i), *again = build_case(_i);
    _cleanup_json_ json_t *document = diff(command, again);
    ck_assert(is_true(document, "same_command") && is_true(document, "same_hardware"));
    ck_assert_uint_eq(json_array_size(changes_of(document)), 0);
}
END_TEST

/* A change that the guest sees is one of the digest, and names what both sides have. */
START_TEST(what_the_guest_sees_is_in_the_digest) {
    _cleanup_command_ vqemu_command *from = build_case(_i);
    _cleanup_command_ vqemu_command *to = build_case((_i + 1) % case_count);
    _cleanup_json_ json_t *document = diff(from, to), *back = diff(to, from);
    ck_assert(!is_any_seen(document) || !is_true(document, "same_hardware"));
    ck_assert(is_any_seen(document) == is_any_seen(back));
    for (size_t i = 0; i < json_array_size(changes_of(document)); i++) {
        const json_t *change = json_array_get(changes_of(document), i);
        const json_t *old = json_object_get(change, "from"), *new = json_object_get(change, "to");
        ck_assert(json_is_object(old) || json_is_object(new));
        if (json_is_object(old) && json_is_object(new))
            ck_assert_str_ne(json_text(old, "value"), json_text(new, "value"));
        const json_t *any = json_is_object(old) ? old : new;
        ck_assert(*json_text(any, "key") || *json_text(any, "message"));
    }
}
END_TEST

/* ---- single changes ---- */

#define VM(more) "{\"name\": \"x\", \"firmware\": \"bios\"" more "}"

START_TEST(a_value_has_both_sides_with_key_and_message) {
    _cleanup_json_ json_t *document = diff_of(VM(""), VM(", \"memory\": 3000"));
    const json_t *memory = find_change(document, "-m");
    check_side(memory, "to", "3000", "memory");
    ck_assert_str_eq(json_text(json_object_get(memory, "from"), "key"), "memory");
    ck_assert_int_eq(strncmp(message_of(memory, "from"), "default", 7), 0);
    ck_assert_str_eq(message_of(memory, "to"), "");
    ck_assert(is_true(memory, "guest") && !is_true(document, "same_hardware"));
}
END_TEST

/* The file of a disk, its cache, the kind of a network that is only forwarded elsewhere. */
START_TEST(what_only_the_host_sees_is_told_apart) {
    _cleanup_json_ json_t *document =
        diff_of(VM(", \"disks\": [{\"file\": \"/a\", \"cache\": \"none\"}], \"nics\": [{}]"),
                VM(", \"disks\": [{\"file\": \"/b\", \"cache\": \"unsafe\"}], "
                   "\"nics\": [{\"forwards\": [{\"host_port\": 2222, \"guest_port\": 22}]}]"));
    ck_assert(is_true(document, "same_hardware") && !is_true(document, "same_command"));
    ck_assert_uint_ge(json_array_size(changes_of(document)), 3);
    ck_assert(!is_any_seen(document));
}
END_TEST

START_TEST(a_setting_that_one_side_has_not_is_null) {
    _cleanup_json_ json_t *document = diff_of(VM(", \"cpu_features\": {\"aes\": true}"), VM(""));
    const json_t *feature = find_change(document, "-cpu aes");
    check_side(feature, "from", "on", "cpu_features.aes");
    check_side(feature, "to", NULL, NULL);
    ck_assert(is_true(feature, "guest"));
    ck_assert_uint_eq(json_array_size(changes_of(document)), 1);
}
END_TEST

/* Though the device is told the same words. */
START_TEST(the_guest_sees_whether_a_disk_can_be_written_to) {
    _cleanup_json_ json_t *document =
        diff_of(VM(", \"disks\": [{\"file\": \"/a\"}]"),
                VM(", \"disks\": [{\"file\": \"/a\", \"read_only\": true}]"));
    ck_assert(!is_true(document, "same_hardware"));
    ck_assert(is_any_seen(document));
}
END_TEST

START_TEST(an_option_that_one_side_has_not_is_one_change) {
    _cleanup_json_ json_t *document =
        diff_of(VM(", \"nics\": [{\"mac\": \"52:54:00:00:00:01\"}]"), VM(", \"nics\": []"));
    const json_t *device = NULL;
    for (size_t i = 0; i < json_array_size(changes_of(document)); i++) {
        const json_t *change = json_array_get(changes_of(document), i);
        if (strcmp(json_text(change, "option"), "-device") == 0 && is_true(change, "guest"))
            device = change;
    }
    ck_assert_ptr_nonnull(device);
    ck_assert(json_is_null(json_object_get(device, "to")));
    ck_assert_ptr_null(json_object_get(device, "setting"));
    ck_assert(!is_true(document, "same_hardware"));
}
END_TEST

START_TEST(arguments_of_the_vm_are_compared_as_they_are) {
    _cleanup_json_ json_t *document = diff_of(VM(", \"extra_args\": [\"-a\", \"-b\", \"-c\"]"),
                                              VM(", \"extra_args\": [\"-a\", \"-c\", \"-d\"]"));
    const json_t *changes = changes_of(document);
    ck_assert_uint_eq(json_array_size(changes), 1);
    check_side(json_array_get(changes, 0), "from", "-b", "extra_args[1]");
    check_side(json_array_get(changes, 0), "to", "-d", "extra_args[2]");
    ck_assert(is_true(json_array_get(changes, 0), "guest"));
}
END_TEST

/* Another revision of a profile: its files have other paths. */
START_TEST(another_tree_is_the_same_hardware) {
    _cleanup_command_ vqemu_command *from = build_below("/t", VM("")),
                                    *to = build_below("/u", VM(""));
    _cleanup_json_ json_t *document = diff(from, to);
    ck_assert(is_true(document, "same_hardware") && !is_true(document, "same_command"));
    const json_t *program = find_change(document, "");
    ck_assert_str_eq(json_text(json_object_get(program, "from"), "value"), "/t/bin/qemu");
    ck_assert_str_eq(json_text(json_object_get(program, "to"), "value"), "/u/bin/qemu");
    ck_assert_str_ne(message_of(program, "to"), "");
    ck_assert(!is_any_seen(document));
}
END_TEST

/* ---- what is refused ---- */

static void check_refused(const vqemu_command *from, const vqemu_command *to, const char *reason) {
    _cleanup_error_ vqemu_error *error = NULL;
    char *text = (char *)&error;
    ck_assert_int_eq(vqemu_command_diff(from, to, 0, &text, &error), VQEMU_ERR_UNSUPPORTED);
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_ptr_null(text);
}

START_TEST(a_loaded_command_is_not_compared) {
    _cleanup_command_ vqemu_command *command = build_simple(VM("")), *loaded = NULL;
    _cleanup_free_ char *saved = NULL;
    ck_assert_int_eq(vqemu_command_save(command, 0, &saved, NULL), 0);
    ck_assert_int_eq(vqemu_command_load(saved, strlen(saved), NULL, 0, NULL, &loaded, NULL), 0);
    check_refused(loaded, command, "loaded-command");
    check_refused(command, loaded, "loaded-command");
}
END_TEST

START_TEST(what_is_not_utf_8_is_refused) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths("/t/bin/qemu", "/t/firmware", NULL, NULL, NULL));
    _cleanup_vm_ vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "kernel", "/k\xff", NULL), 0);
    _cleanup_command_ vqemu_command *strange = build_with(runtime, vm),
                                    *command = build_simple(VM(""));
    check_refused(command, strange, "not-utf-8");
    check_refused(strange, command, "not-utf-8");
}
END_TEST

START_TEST(wrong_calls_are_refused) {
    _cleanup_command_ vqemu_command *command = build_simple(VM(""));
    char *text = NULL;
    ck_assert_int_eq(vqemu_command_diff(NULL, command, 0, &text, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_diff(command, NULL, 0, &text, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_diff(command, command, 0, NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_diff(command, command, 1, &text, NULL), VQEMU_ERR_USAGE);
    ck_assert_ptr_null(text);
}
END_TEST

int main(void) {
    find_cases("commands");
    Suite *suite = suite_create("command-diff");
    TCase *tests = tcase_create("command-diff");
    tcase_add_loop_test(tests, the_same_command_has_no_changes, 0, case_count);
    tcase_add_loop_test(tests, what_the_guest_sees_is_in_the_digest, 0, case_count);
    tcase_add_test(tests, a_value_has_both_sides_with_key_and_message);
    tcase_add_test(tests, what_only_the_host_sees_is_told_apart);
    tcase_add_test(tests, a_setting_that_one_side_has_not_is_null);
    tcase_add_test(tests, the_guest_sees_whether_a_disk_can_be_written_to);
    tcase_add_test(tests, an_option_that_one_side_has_not_is_one_change);
    tcase_add_test(tests, arguments_of_the_vm_are_compared_as_they_are);
    tcase_add_test(tests, another_tree_is_the_same_hardware);
    tcase_add_test(tests, a_loaded_command_is_not_compared);
    tcase_add_test(tests, what_is_not_utf_8_is_refused);
    tcase_add_test(tests, wrong_calls_are_refused);
    suite_add_tcase(suite, tests);
    int status = run_suite(suite);
    forget_cases();
    return status;
}
