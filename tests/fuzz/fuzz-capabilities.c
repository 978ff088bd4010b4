/* SPDX-License-Identifier: MIT */
/*
 * What a QEMU said that it can do, as a store keeps it, and in front of it a VM whose command is
 * checked against that: a line of what it is for (setting.h), and the VM's document in one line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "qemu/capabilities.h"
#include "setting.h"
#include "util/cleanup.h"

/* ---- what is kept ---- */

static const char *const kinds[] = {
    "ability", "accel",   "argument", "audiodev", "blockdev", "chardev", "command", "cpu",
    "device",  "display", "machine",  "netdev",   "object",   "option",  "qemu",    "tpm"};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static void check_kind(const vqemu_capabilities *told, const char *kind, const json_t *all) {
    size_t count = vqemu_capabilities_count(told, kind);
    const json_t *things = json_object_get(all, kind);
    const char *before = "";
    FUZZ_CHECK(json_object_size(things) == count, "%zu things of the kind %s", count, kind);
    for (size_t i = 0; i < count; i++) {
        const char *name = vqemu_capabilities_at(told, kind, i);
        FUZZ_CHECK(name && strcmp(before, name) < 0, "%s is out of order", name);
        FUZZ_CHECK(vqemu_capabilities_has(told, kind, name, NULL) == 1, "%s is not found", name);
        FUZZ_CHECK(json_is_object(json_object_get(things, name)), "%s is not in the JSON", name);
        FUZZ_CHECK(!json_is_null(json_object_get(json_object_get(things, name), "properties")) ||
                       !capabilities_properties(told, kind, name) ||
                       vqemu_capabilities_fact(told, kind, name, "alias-of"),
                   "the properties of %s are told, and not in the JSON", name);
        before = name;
    }
    FUZZ_CHECK(!vqemu_capabilities_at(told, kind, count), "more %s than there are", kind);
}

/* What is written is what was read. */
static vqemu_capabilities *read_capabilities(const char *text) {
    vqemu_capabilities *told = NULL;
    vqemu_error *error = NULL;
    _cleanup_free_ char *json = NULL;
    _cleanup_strbuf_ struct strbuf again = {0};
    int r = capabilities_of_text(strdup(text), "input", &told, &error);
    FUZZ_CHECK(!told == (r < 0), "the result %d with capabilities, or 0 without", r);
    if (fuzz_check_result(r, &error) < 0)
        return NULL;
    FUZZ_CHECK(capabilities_write(told, &again) == 0 && strcmp(again.text, text) == 0, "two texts");
    /* A store's own records are UTF-8: names and facts come from JSON. */
    if (fuzz_check_result(vqemu_capabilities_to_json(told, 0, &json, &error), &error) < 0) {
        FUZZ_CHECK(!fuzz_is_utf8(text), "no JSON");
        return told;
    }
    json_t *all = json_loads(json, 0, NULL);
    FUZZ_CHECK(all, "no JSON: %s", json);
    for (size_t i = 0; i < KIND_COUNT; i++)
        check_kind(told, kinds[i], all);
    json_decref(all);
    return told;
}

/* ---- a command that is checked ---- */

static char *to_json(const vqemu_vm *vm) {
    char *text = NULL;
    FUZZ_CHECK(vqemu_vm_to_json(vm, 0, &text, NULL) == 0, "what was read cannot be written");
    return text;
}

static vqemu_command *build(vqemu_runtime *runtime, const vqemu_vm *vm, vqemu_capabilities *told,
                            char **reason) {
    vqemu_command_options *options = NULL;
    vqemu_command *command = NULL;
    vqemu_error *error = NULL;
    FUZZ_CHECK(vqemu_command_options_new(&options, NULL) == 0 &&
                   vqemu_command_options_set_capabilities(options, told, NULL, NULL) == 0,
               "no memory");
    int r = vqemu_command_build(runtime, vm, options, 0, NULL, &command, &error);
    if (r < 0 && reason)
        *reason = strdup(vqemu_error_reason(error));
    FUZZ_CHECK(!command == (r < 0), "the result %d with a command, or 0 without", r);
    fuzz_check_result(r, &error);
    vqemu_command_options_free(options);
    return command;
}

/* The check changes nothing of a command; what it refuses would be built without it. */
static void check_checked(vqemu_runtime *runtime, const vqemu_vm *vm, vqemu_capabilities *told) {
    _cleanup_free_ char *reason = NULL;
    vqemu_command *without = build(runtime, vm, NULL, NULL);
    vqemu_command *checked = build(runtime, vm, told, &reason);
    FUZZ_CHECK(without || !checked, "checked, it is built, and otherwise not");
    if (without && checked)
        FUZZ_CHECK(strcmp(vqemu_command_digest(without, VQEMU_DIGEST_COMMAND),
                          vqemu_command_digest(checked, VQEMU_DIGEST_COMMAND)) == 0,
                   "checked, it is another command");
    bool is_of_check =
        reason &&
        (strncmp(reason, "qemu-lacks-", 11) == 0 || strcmp(reason, "too-many-cpus") == 0 ||
         strcmp(reason, "qemu-needs-property") == 0 || strcmp(reason, "id-twice") == 0 ||
         strcmp(reason, "not-pluggable") == 0 || strcmp(reason, "no-such-id") == 0);
    FUZZ_CHECK(!without || checked || is_of_check, "the check refuses it for %s", reason);
    vqemu_command_unref(without);
    vqemu_command_unref(checked);
}

/* A machine gets its versioned name once. */
static void check_completed(vqemu_runtime *runtime, vqemu_vm *vm, const vqemu_capabilities *told) {
    vqemu_error *error = NULL;
    int r = vqemu_vm_complete(vm, runtime, told, 0, NULL, &error);
    if (fuzz_check_result(r, &error) < 0)
        return;
    _cleanup_free_ char *text = to_json(vm);
    r = vqemu_vm_complete(vm, runtime, told, 0, NULL, &error);
    FUZZ_CHECK(r == 0, "only once: %s", vqemu_error_message(error));
    _cleanup_free_ char *again = to_json(vm);
    FUZZ_CHECK(strcmp(text, again) == 0, "two texts:\n%s%s", text, again);
}

/* Take a line off a text. */
static char *next_line(char **text) {
    char *line = *text, *end = strchr(line, '\n');
    *text = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = fuzz_text(data, size);
    char *rest = text;
    unsigned flags;
    vqemu_vm *vm = NULL;
    fuzz_begin(data, size);
    const struct setting *setting = setting_choose(next_line(&rest), &flags);
    const char *document = next_line(&rest);
    vqemu_capabilities *told = read_capabilities(rest);
    if (told && vqemu_vm_from_json(document, strlen(document), NULL, 0, &vm, NULL) == 0) {
        check_checked(setting->plain, vm, told);
        check_completed(setting->plain, vm, told);
    }
    vqemu_vm_free(vm);
    vqemu_capabilities_unref(told);
    return 0;
}
