/* SPDX-License-Identifier: MIT */
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
#include "revision-name.h"
#include "table.h"

/* ---- pin, unpin ---- */

typedef int (*change_fn)(vqemu_store *store, const char *revision, const char *holder,
                         uint32_t flags, vqemu_call *call, vqemu_error **error);

static int print_change(const struct options *options, const char *revision, bool pinned) {
    const char *holder = options->holder ? options->holder : "";
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "revision", revision);
        json_add_text(object, "ref", revision);
        json_add(object, "pinned", json_boolean(pinned));
        json_add_text(object, "holder", holder);
        return print_json(object);
    }
    printf("%s %s%s%s\n", pinned ? "pinned" : "unpinned", revision, *holder ? " for " : "", holder);
    return EXIT_SUCCESS;
}

static int change(const struct options *options, change_fn function, bool pinned) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_free_ char *revision = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the revision is missing");
    int status = store_from_options(options, 0, &store);
    if (!status)
        status = find_name_of(options, store, options->operand, &revision);
    if (status)
        return status;
    if (function(store, revision, options->holder, 0, options->call, &error))
        return fail_request(options->command, error);
    return print_change(options, revision, pinned);
}

static int pin(const struct options *options) {
    return change(options, vqemu_store_pin, true);
}

static int unpin(const struct options *options) {
    return change(options, vqemu_store_unpin, false);
}

const struct command command_pin = {
    .name = "pin",
    .operand = "REVISION|PROFILE",
    .operands = 1,
    .option_groups = OPTIONS_PIN,
    .summary = "keep a revision from being collected",
    .description =
        "Keep a revision, its tree and its objects from \"volt-qemu gc\" and \"volt-qemu rm\",\n"
        "until it is unpinned. With --holder, for somebody: each holder has a pin of its\n"
        "own. With --json: revision, ref (the same), pinned, holder.\n",
    .example = "  volt-qemu pin emulate-x86-8e1e73bc\n"
               "  volt-qemu pin emulate-x86-8e1e73bc --holder unit:volt-web\n",
    .run = pin,
};

const struct command command_unpin = {
    .name = "unpin",
    .operand = "REVISION|PROFILE",
    .operands = 1,
    .option_groups = OPTIONS_PIN,
    .summary = "undo pin",
    .description =
        "Take the pin of a holder back, or the one without a holder; those of others stay.\n"
        "With --json: revision, ref (the same), pinned, holder.\n",
    .example = "  volt-qemu unpin emulate-x86-8e1e73bc\n"
               "  volt-qemu unpin emulate-x86-8e1e73bc --holder unit:volt-web\n",
    .run = unpin,
};

/* ---- pins ---- */

static json_t *pins_json(const vqemu_pin_list *list) {
    json_t *array = json_array();
    for (size_t i = 0; i < vqemu_pin_list_count(list); i++) {
        json_t *object = json_object();
        json_add_text(object, "revision", vqemu_pin_list_revision_name(list, i));
        json_add_text(object, "holder", vqemu_pin_list_holder(list, i));
        json_append(array, object);
    }
    return array;
}

static void print_pins(const vqemu_pin_list *list) {
    static const struct column columns[] = {{"REVISION", LEFT}, {"HOLDER", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 2};
    for (size_t i = 0; i < vqemu_pin_list_count(list); i++) {
        const char *holder = vqemu_pin_list_holder(list, i);
        table_add(&table, "%s", vqemu_pin_list_revision_name(list, i));
        table_add(&table, "%s", holder ? holder : "-");
    }
    table_print(&table);
}

static int pins(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_pin_list_ vqemu_pin_list *list = NULL;
    _cleanup_free_ char *revision = NULL;
    int status = store_from_options(options, 0, &store);
    if (!status && options->operand)
        status = find_name_of(options, store, options->operand, &revision);
    if (status)
        return status;
    if (vqemu_store_list_pins(store, revision, 0, options->call, &list, &error))
        return fail_request(options->command, error);
    if (options->json)
        return print_json(pins_json(list));
    print_pins(list);
    return EXIT_SUCCESS;
}

const struct command command_pins = {
    .name = "pins",
    .operand = "[REVISION|PROFILE]",
    .operands = 1,
    .summary = "list pins, and who holds them",
    .description = "List the pins of a revision, or all, and for whom they are.\n"
                   "With --json: an array of revision, holder (\"\" for nobody in particular).\n",
    .example = "  volt-qemu pins\n",
    .run = pins,
};
