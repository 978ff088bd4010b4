/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "table.h"
#include "text.h"

static json_t *use_json(const vqemu_use_list *uses, size_t index) {
    json_t *object = json_object();
    json_add_text(object, "kind", vqemu_use_list_kind(uses, index));
    json_add_text(object, "revision", vqemu_use_list_revision_name(uses, index));
    json_add_text(object, "ref", vqemu_use_list_revision_name(uses, index));
    json_add_text(object, "tree", vqemu_use_list_tree_name(uses, index));
    json_add_process(object, "pid", vqemu_use_list_pid(uses, index));
    json_add_text(object, "process_name", vqemu_use_list_process_name(uses, index));
    json_add_text(object, "vm", vqemu_use_list_vm_name(uses, index));
    json_add_text(object, "holder", vqemu_use_list_holder(uses, index));
    return object;
}

static json_t *uses_json(const vqemu_use_list *uses) {
    json_t *object = json_object(), *array = json_array();
    for (size_t i = 0; i < vqemu_use_list_count(uses); i++)
        json_append(array, use_json(uses, i));
    json_add(object, "complete", json_boolean(vqemu_use_list_is_complete(uses)));
    json_add(object, "uses", array);
    return object;
}

static void add_text(struct table *table, const char *text) {
    table_add(table, "%s", text ? text : "-");
}

static void print_uses(const vqemu_use_list *uses) {
    static const struct column columns[] = {{"KIND", LEFT},    {"REVISION", LEFT}, {"PID", RIGHT},
                                            {"PROCESS", LEFT}, {"VM", LEFT},       {"HOLDER", LEFT},
                                            {"TREE", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 7};
    for (size_t i = 0; i < vqemu_use_list_count(uses); i++) {
        long long pid = (long long)vqemu_use_list_pid(uses, i);
        _cleanup_free_ char *number = format_text(pid ? "%lld" : "-", pid);
        add_text(&table, vqemu_use_list_kind(uses, i));
        add_text(&table, vqemu_use_list_revision_name(uses, i));
        add_text(&table, number);
        add_text(&table, vqemu_use_list_process_name(uses, i));
        add_text(&table, vqemu_use_list_vm_name(uses, i));
        add_text(&table, vqemu_use_list_holder(uses, i));
        const char *tree = vqemu_use_list_tree_name(uses, i);
        table_add(&table, "%.12s", tree ? tree : "-");
    }
    table_print(&table);
}

static int uses(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_use_list_ vqemu_use_list *list = NULL;
    int status = store_from_options(options, 0, &store);
    if (status)
        return status;
    if (vqemu_store_list_uses(store, options->operand, 0, options->call, &list, &error))
        return fail_request(options->command, error);
    if (options->json)
        return print_json(uses_json(list));
    print_uses(list);
    if (!vqemu_use_list_is_complete(list))
        warn("not all processes can be seen here: others may use the store, too");
    return EXIT_SUCCESS;
}

const struct command command_uses = {
    .name = "uses",
    .operand = "[REVISION|PROFILE]",
    .operands = 1,
    .summary = "list who uses revisions",
    .description =
        "List who uses the revisions of the store, or those of a revision or profile:\n"
        "processes that run from their trees, and for which VM; leases; pins; which\n"
        "revision was set to be used; and the links to trees.\n"
        "With --json: complete (whether all processes could be looked into), uses (an array\n"
        "of kind (process, lease, pin, current, link), revision, ref (the same), tree, pid,\n"
        "command, vm, holder). What is not known is \"\" or 0.\n",
    .example = "  volt-qemu uses\n"
               "  volt-qemu uses emulate-x86-8e1e73bc\n",
    .run = uses,
};
