/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "message.h"
#include "options.h"
#include "text.h"
#include "vm-options.h"

/* Strings as they are, the rest as JSON; what is not set is a "-". */
static char *value_text(const json_t *value) {
    if (json_is_null(value))
        return format_text("-");
    if (json_is_string(value))
        return printable(json_string_value(value));
    _cleanup_free_ char *text = json_dumps(value, JSON_ENCODE_ANY);
    if (!text)
        fail_memory();
    return printable(text);
}

static void print_change(const json_t *change) {
    _cleanup_free_ char *key = printable(json_string_value(json_object_get(change, "key")));
    _cleanup_free_ char *from = value_text(json_object_get(change, "from"));
    _cleanup_free_ char *to = value_text(json_object_get(change, "to"));
    printf("%s: %s -> %s\n", key, from, to);
}

static void print_changes(const char *text) {
    json_t *document = json_loads(text, 0, NULL);
    if (!document)
        fail_memory();
    json_t *changes = json_object_get(document, "changes");
    for (size_t i = 0; i < json_array_size(changes); i++)
        print_change(json_array_get(changes, i));
    json_decref(document);
}

static int diff(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vm_ vqemu_vm *from = NULL, *to = NULL;
    _cleanup_vqemu_free_ char *text = NULL;
    if (options->operand_count != 2)
        return fail_usage(options->command, "two files are needed");
    int status = vm_from_document(options, options->operands[0], &from);
    if (!status)
        status = vm_from_document(options, options->operands[1], &to);
    if (status)
        return status;
    if (vqemu_vm_diff(from, to, 0, &text, &error))
        return fail(error);
    if (options->json)
        fputs(text, stdout);
    else
        print_changes(text);
    return EXIT_SUCCESS;
}

const struct command command_diff = {
    .name = "diff",
    .operand = "FILE FILE",
    .operands = 2,
    .summary = "tell what two VMs differ in",
    .description =
        "Tell which keys of two descriptions of VMs differ, a line for each; nothing if\n"
        "none does. \"-\" instead of one of the files is standard input.\n"
        "With --json: changes (key, from, to); null is what is not set.\n",
    .example = "  volt-qemu diff web.json web-new.json\n",
    .run = diff,
};
