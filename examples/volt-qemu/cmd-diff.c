/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "text.h"
#include "vm-options.h"

/* Strings as they are, the rest as JSON; what is not set is a "-". */
static char *value_text(const json_t *value) {
    if (!value || json_is_null(value))
        return format_text("-");
    if (json_is_string(value))
        return printable(json_string_value(value));
    _cleanup_free_ char *text = json_dumps(value, JSON_ENCODE_ANY);
    if (!text)
        fail_memory();
    return printable(text);
}

static char *member_text(const json_t *object, const char *key) {
    return value_text(json_object_get(object, key));
}

/* ---- VMs ---- */

static void print_change(const json_t *change) {
    _cleanup_free_ char *key = member_text(change, "key");
    _cleanup_free_ char *from = member_text(change, "from");
    _cleanup_free_ char *to = member_text(change, "to");
    printf("%s: %s -> %s\n", key, from, to);
}

static int diff_vms(const struct options *options, char **text) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vm_ vqemu_vm *from = NULL, *to = NULL;
    int status = vm_from_document(options, options->operands[0], &from);
    if (!status)
        status = vm_from_document(options, options->operands[1], &to);
    if (status)
        return status;
    return vqemu_vm_diff(from, to, 0, text, &error) ? fail(error) : 0;
}

/* ---- commands ---- */

/* "-device drive0 serial", as far as a change has that. */
static void print_place(const json_t *change) {
    static const char *const keys[] = {"option", "id", "setting"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        _cleanup_free_ char *word = member_text(change, keys[i]);
        if (json_object_get(change, keys[i]))
            printf(" %s", word);
    }
}

static void print_message(const json_t *side) {
    _cleanup_free_ char *message = member_text(side, "message");
    if (json_object_get(side, "message"))
        printf(" (%s)", message);
}

/* The key is that of the side that has one. */
static void print_command_change(const json_t *change) {
    const json_t *from = json_object_get(change, "from"), *to = json_object_get(change, "to");
    const json_t *said = json_object_get(from, "key") ? from : to;
    _cleanup_free_ char *key = member_text(said, "key");
    _cleanup_free_ char *old = member_text(from, "value"), *new = member_text(to, "value");
    printf("%s:", key);
    print_place(change);
    printf(" %s", old);
    print_message(from);
    printf(" -> %s", new);
    print_message(to);
    puts(json_is_true(json_object_get(change, "guest")) ? "; the guest sees it" : "");
}

static int make_command(const struct options *options, const char *document, struct way *way) {
    struct options of_one = *options;
    of_one.vm = document;
    int status = vm_from_options(&of_one, &way->vm);
    return status ? status : way_to_command(&of_one, way);
}

static int diff_commands(const struct options *options, char **text) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_way_ struct way from = {0}, to = {0};
    int status = make_command(options, options->operands[0], &from);
    if (!status)
        status = make_command(options, options->operands[1], &to);
    if (status)
        return status;
    return vqemu_command_diff(from.command, to.command, 0, text, &error) ? fail(error) : 0;
}

/* ---- both ---- */

static void print_changes(const char *text, void (*print)(const json_t *change)) {
    json_t *document = json_loads(text, 0, NULL);
    if (!document)
        fail_memory();
    json_t *changes = json_object_get(document, "changes");
    for (size_t i = 0; i < json_array_size(changes); i++)
        print(json_array_get(changes, i));
    json_decref(document);
}

/* Two VMs are compared without a profile. */
static bool has_idle_option(const struct options *options) {
    return options->profile || options->mode || options->accel || options->guest_arch ||
           options->guest_os || options->revision || options->verify || options->trust ||
           options->policy || options->no_check;
}

static int diff(const struct options *options) {
    _cleanup_vqemu_free_ char *text = NULL;
    if (options->operand_count != 2)
        return fail_usage(options->command, "two files are needed");
    if (!options->commands && has_idle_option(options))
        return fail_usage(options->command, "how a command is made matters to --commands alone");
    int status = options->commands ? diff_commands(options, &text) : diff_vms(options, &text);
    if (status)
        return status;
    if (options->json)
        print_json_text(text);
    else
        print_changes(text, options->commands ? print_command_change : print_change);
    return EXIT_SUCCESS;
}

const struct command command_diff = {
    .name = "diff",
    .operand = "FILE FILE",
    .operands = 2,
    .option_groups =
        OPTIONS_COMMANDS | OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_POLICY,
    .summary = "tell what two VMs, or their commands, differ in",
    .description =
        "Tell which keys of two descriptions of VMs differ, a line for each; nothing if\n"
        "none does. \"-\" instead of one of the files is standard input.\n"
        "With --json: changes (key, from, to); null is what is not set.\n"
        "With --commands, make the commands that run them, as \"volt-qemu args\" does, and\n"
        "tell which settings of QEMU differ, by which keys, why, and whether the guest\n"
        "sees it; with --json, same_command, same_hardware, changes (option, id, setting,\n"
        "guest; from, to: value, key, message).\n",
    .example = "  volt-qemu diff web.json web-new.json\n"
               "  volt-qemu diff --commands --profile kvm-linux web.json web-new.json\n",
    .run = diff,
};
