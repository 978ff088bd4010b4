/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "table.h"

static json_t *uses_json(const vqemu_use_list *uses) {
    json_t *object = json_object(), *array = json_array();
    for (size_t i = 0; i < vqemu_use_list_count(uses); i++) {
        json_t *use = json_object();
        json_add_text(use, "kind", vqemu_use_list_kind(uses, i));
        json_add_text(use, "ref", vqemu_use_list_revision(uses, i));
        json_add_text(use, "tree", vqemu_use_list_tree(uses, i));
        json_add_number(use, "pid", vqemu_use_list_pid(uses, i));
        json_add_text(use, "command", vqemu_use_list_command(uses, i));
        json_add_text(use, "vm", vqemu_use_list_vm(uses, i));
        json_add_text(use, "holder", vqemu_use_list_holder(uses, i));
        json_append(array, use);
    }
    json_add(object, "complete", json_boolean(vqemu_use_list_is_complete(uses)));
    json_add(object, "uses", array);
    return object;
}

static const char *or_dash(const char *text) {
    return *text ? text : "-";
}

static void print_uses(const vqemu_use_list *uses) {
    static const struct column columns[] = {{"KIND", LEFT},    {"REF", LEFT}, {"PID", RIGHT},
                                            {"COMMAND", LEFT}, {"VM", LEFT},  {"HOLDER", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 6};
    for (size_t i = 0; i < vqemu_use_list_count(uses); i++) {
        const char *ref = vqemu_use_list_revision(uses, i);
        table_add(&table, "%s", vqemu_use_list_kind(uses, i));
        table_add(&table, "%s", *ref ? ref : or_dash(vqemu_use_list_tree(uses, i)));
        if (vqemu_use_list_pid(uses, i) > 0)
            table_add(&table, "%lld", (long long)vqemu_use_list_pid(uses, i));
        else
            table_add(&table, "-");
        table_add(&table, "%s", or_dash(vqemu_use_list_command(uses, i)));
        table_add(&table, "%s", or_dash(vqemu_use_list_vm(uses, i)));
        table_add(&table, "%s", or_dash(vqemu_use_list_holder(uses, i)));
    }
    table_print(&table);
}

static int uses(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_use_list_ vqemu_use_list *list = NULL;
    if (store_from_options(options, 0, &store))
        return EXIT_FAILURE;
    if (vqemu_store_list_uses(store, options->operand, 0, options->call, &list, &error))
        return options->operand ? fail_request(options->command, error) : fail(error);
    if (!vqemu_use_list_is_complete(list))
        warn("not all processes can be seen here: there may be others that use the store");
    if (options->json)
        return print_json(uses_json(list));
    print_uses(list);
    return EXIT_SUCCESS;
}

const struct command command_uses = {
    .name = "uses",
    .operand = "[REF|PROFILE]",
    .summary = "list what uses the versions that the store has",
    .description =
        "List who uses a ref, the refs of a profile, or all: processes that run from its\n"
        "tree, leases on that, pins, the choice made by \"volt-qemu current\", and the\n"
        "links to trees. That keeps it from \"volt-qemu gc\" and \"volt-qemu rm\".\n"
        "With --json: complete, uses (kind, ref, tree, pid, command, vm, holder).\n",
    .example = "  volt-qemu uses emulate-x86\n",
    .run = uses,
};
