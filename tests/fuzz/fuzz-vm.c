/* SPDX-License-Identifier: MIT */
/* A document -> a VM -> a command and units. In front of the document, up to its "{", the input can
 * have what it is for (setting.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check-argv.h"
#include "check-unit.h"
#include "fuzz.h"
#include "setting.h"
#include "upkeep/guest-name.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* Behind the three of enum vqemu_command_flag: */
#define USER_UNIT 8
#define ODD_PATHS 16
#define NO_STOP 32

/* ---- what is made of it ---- */

static char *to_json(const vqemu_vm *vm) {
    char *text = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_vm_to_json(vm, 0, &text, &error);
    FUZZ_CHECK(r == 0, "what was read cannot be written: %s", vqemu_error_message(error));
    return text;
}

static vqemu_vm *from_json(const char *text, size_t size) {
    vqemu_vm *vm = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_vm_from_json(text, size, "input", 0, &vm, &error);
    FUZZ_CHECK(!vm == (r < 0), "the result %d with a VM, or 0 without", r);
    fuzz_check_result(r, &error);
    return vm;
}

/* It survives writing and reading. Returns what was written. */
static json_t *check_round_trip(const vqemu_vm *vm) {
    _cleanup_free_ char *text = to_json(vm);
    json_error_t fault;
    vqemu_vm *again = from_json(text, strlen(text));
    FUZZ_CHECK(again, "what was written is not read:\n%s", text);
    _cleanup_free_ char *text_again = to_json(again);
    FUZZ_CHECK(strcmp(text, text_again) == 0, "two texts:\n%s%s", text, text_again);
    vqemu_vm_free(again);
    json_t *document = json_loads(text, 0, &fault);
    FUZZ_CHECK(document, "what was written is no JSON:\n%s", text);
    return document;
}

/* A later process has the same command. */
static void check_saved(const vqemu_command *command) {
    _cleanup_free_ char *text = NULL, *again = NULL;
    vqemu_command *loaded = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_command_save(command, 0, &text, &error);
    FUZZ_CHECK(r == 0, "not saved: %s", vqemu_error_message(error));
    r = vqemu_command_load(text, strlen(text), "saved", 0, NULL, &loaded, &error);
    FUZZ_CHECK(r == 0, "not loaded: %s\n%s", vqemu_error_message(error), text);
    r = vqemu_command_save(loaded, 0, &again, &error);
    FUZZ_CHECK(r == 0 && strcmp(text, again) == 0, "two texts:\n%s%s", text, again ? again : "");
    vqemu_command_unref(loaded);
}

/* Other texts that are made of a command. */
static void check_texts(const vqemu_command *command) {
    _cleanup_free_ char *shell = NULL, *json = NULL;
    vqemu_error *error = NULL;
    int r = fuzz_check_result(vqemu_command_to_shell(command, 0, &shell, &error), &error);
    FUZZ_CHECK(r == 0, "no text for a shell");
    fuzz_check_result(vqemu_command_to_json(command, 0, &json, &error), &error);
}

/* Who sees the process finds the VM's name in its arguments. */
static void check_visible_name(const vqemu_command *command) {
    _cleanup_strbuf_ struct strbuf arguments = {0};
    _cleanup_free_ char *name = NULL;
    for (char *const *argument = vqemu_command_argv(command); *argument; argument++)
        strbuf_add_bytes(&arguments, *argument, strlen(*argument) + 1);
    FUZZ_CHECK(!arguments.failed &&
                   guest_name_of_arguments(arguments.text, arguments.length, &name) == 0,
               "no memory");
    FUZZ_CHECK(name && strcmp(name, vqemu_command_vm_name(command)) == 0,
               "the name \"%s\" is seen as \"%s\"", vqemu_command_vm_name(command),
               name ? name : "");
}

/* With its defaults written into it, it has the same command, and nothing more to be written. */
static void check_completed(vqemu_runtime *runtime, const vqemu_vm *vm,
                            const vqemu_command *command) {
    vqemu_vm *whole = NULL;
    vqemu_command *again = NULL;
    vqemu_error *error = NULL;
    FUZZ_CHECK(vqemu_vm_copy(vm, &whole, NULL) == 0, "no copy");
    int r = vqemu_vm_complete(whole, runtime, NULL, 0, NULL, &error);
    FUZZ_CHECK(r == 0, "it is not completed: %s", vqemu_error_message(error));
    _cleanup_free_ char *text = to_json(whole);
    r = vqemu_command_build(runtime, whole, NULL, 0, NULL, &again, &error);
    FUZZ_CHECK(r == 0, "completed, it is refused: %s\n%s", vqemu_error_message(error), text);
    FUZZ_CHECK(strcmp(vqemu_command_digest(command, VQEMU_DIGEST_COMMAND),
                      vqemu_command_digest(again, VQEMU_DIGEST_COMMAND)) == 0,
               "completed, it has another command:\n%s", text);
    FUZZ_CHECK(vqemu_vm_complete(whole, runtime, NULL, 0, NULL, NULL) == 0, "only once");
    _cleanup_free_ char *text_again = to_json(whole);
    FUZZ_CHECK(strcmp(text, text_again) == 0, "two texts:\n%s%s", text, text_again);
    vqemu_command_unref(again);
    vqemu_vm_free(whole);
}

static void check_command(vqemu_runtime *runtime, const vqemu_vm *vm, const json_t *document,
                          unsigned flags) {
    const unsigned all = VQEMU_COMMAND_FOR_UNIT | VQEMU_COMMAND_PAUSED | VQEMU_COMMAND_INCOMING;
    vqemu_command *command = NULL, *again = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_command_build(runtime, vm, NULL, flags & all, NULL, &command, &error);
    FUZZ_CHECK(!command == (r < 0), "the result %d with a command, or 0 without", r);
    if (fuzz_check_result(r, &error) < 0)
        return;
    check_argv(command, document);
    check_texts(command);
    check_saved(command);
    check_visible_name(command);
    if ((flags & all) == 0)
        check_completed(runtime, vm, command);
    FUZZ_CHECK(vqemu_command_build(runtime, vm, NULL, flags & all, NULL, &again, NULL) == 0,
               "only once");
    FUZZ_CHECK(strcmp(vqemu_command_digest(command, VQEMU_DIGEST_COMMAND),
                      vqemu_command_digest(again, VQEMU_DIGEST_COMMAND)) == 0,
               "the same VM gives another command");
    vqemu_command_unref(again);
    vqemu_command_unref(command);
}

static const char *const stop_command[] = {"/usr/bin/volt stop", "a%n\n\"b", "", NULL};

static vqemu_unit_options *unit_options(void) {
    static vqemu_unit_options *options;
    if (!options)
        FUZZ_CHECK(vqemu_unit_options_new(&options, NULL) == 0 &&
                       vqemu_unit_options_set_stop_command(options, stop_command, NULL) == 0,
                   "no memory");
    return options;
}

/* Of a VM that names no user, those of the system are made as well as for one that does. */
static void check_units_of(vqemu_runtime *runtime, vqemu_vm *vm, unsigned flags) {
    bool has_stop = !(flags & NO_STOP);
    vqemu_units *units = NULL;
    vqemu_error *error = NULL;
    const char *user = NULL;
    if (!(flags & USER_UNIT) && vqemu_vm_get_string(vm, "user", &user, NULL) == 0 && !user)
        FUZZ_CHECK(vqemu_vm_set_string(vm, "user", "vm", NULL) == 0, "no user");
    int r =
        vqemu_units_build(runtime, vm, NULL, has_stop ? unit_options() : NULL,
                          flags & USER_UNIT ? VQEMU_UNIT_USER_MANAGER : 0, NULL, &units, &error);
    FUZZ_CHECK(!units == (r < 0), "the result %d with units, or 0 without", r);
    if (fuzz_check_result(r, &error) == 0)
        check_units(units, has_stop ? stop_command : NULL);
    vqemu_units_free(units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = fuzz_text(data, size);
    char *start = memchr(text, '{', size);
    unsigned flags;
    fuzz_begin(data, size);
    if (!start)
        start = text + size;
    size_t length = size - (size_t)(start - text);
    _cleanup_free_ char *words = strndup(text, (size_t)(start - text));
    FUZZ_CHECK(words, "no memory");
    vqemu_vm *vm = from_json(start, length);
    if (!vm)
        return 0;
    const struct setting *setting = setting_choose(words, &flags);
    vqemu_runtime *runtime = flags & ODD_PATHS ? setting->odd : setting->plain;
    json_t *document = check_round_trip(vm);
    check_command(runtime, vm, document, flags);
    check_units_of(runtime, vm, flags);
    json_decref(document);
    vqemu_vm_free(vm);
    return 0;
}
