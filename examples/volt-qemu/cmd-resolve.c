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
#include "table.h"

static json_t *runtime_json(const vqemu_runtime *runtime) {
    json_t *object = json_object();
    json_add_text(object, "profile", vqemu_profile_name(vqemu_runtime_profile(runtime)));
    json_add_text(object, "arch", vqemu_runtime_guest_arch(runtime));
    json_add_text(object, "binary", vqemu_runtime_binary(runtime));
    json_add_text(object, "firmware_dir", vqemu_runtime_firmware_dir(runtime));
    json_add_text(object, "lib_dir", vqemu_runtime_lib_dir(runtime));
    json_add_text(object, "module_dir", vqemu_runtime_module_dir(runtime));
    json_add_text(object, "loader", vqemu_runtime_loader(runtime));
    json_add_text(object, "tree", vqemu_runtime_tree(runtime));
    json_add_text(object, "manifest", vqemu_runtime_manifest_path(runtime));
    json_add_text(object, "revision", vqemu_runtime_revision_name(runtime));
    json_add_text(object, "ref", vqemu_runtime_revision_name(runtime));
    json_add_text(object, "digest", vqemu_runtime_digest(runtime));
    return object;
}

static void print_runtime(const vqemu_runtime *runtime) {
    print_field("profile", vqemu_profile_name(vqemu_runtime_profile(runtime)));
    print_field("guest arch", vqemu_runtime_guest_arch(runtime));
    print_field("revision", vqemu_runtime_revision_name(runtime));
    print_field("digest", vqemu_runtime_digest(runtime));
    print_field("manifest", vqemu_runtime_manifest_path(runtime));
    print_field("tree", vqemu_runtime_tree(runtime));
    print_field("binary", vqemu_runtime_binary(runtime));
    print_field("firmware", vqemu_runtime_firmware_dir(runtime));
    print_field("libraries", vqemu_runtime_lib_dir(runtime));
    print_field("modules", vqemu_runtime_module_dir(runtime));
    print_field("loader", vqemu_runtime_loader(runtime));
}

static json_t *placements_json(const vqemu_placement_list *list) {
    json_t *array = json_array();
    for (size_t i = 0; i < vqemu_placement_list_count(list); i++) {
        json_t *file = json_object();
        json_add_text(file, "path", vqemu_placement_list_path(list, i));
        json_add_text(file, "how", vqemu_placement_list_how(list, i));
        json_add_text(file, "message", vqemu_placement_list_message(list, i));
        json_append(array, file);
    }
    return array;
}

static void print_placements(const vqemu_placement_list *list) {
    static const struct column columns[] = {{"HOW", LEFT}, {"FILE", LEFT}, {"WHY", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 3};
    for (size_t i = 0; i < vqemu_placement_list_count(list); i++) {
        table_add(&table, "%s", vqemu_placement_list_how(list, i));
        table_add(&table, "%s", vqemu_placement_list_path(list, i));
        const char *message = vqemu_placement_list_message(list, i);
        table_add(&table, "%s", message ? message : "");
    }
    putchar('\n');
    table_print(&table);
}

static int print(const struct options *options, const vqemu_runtime *runtime) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_placement_list_ vqemu_placement_list *list = NULL;
    if (options->files && vqemu_runtime_list_placements(runtime, 0, &list, &error))
        return fail(error);
    if (options->json) {
        json_t *object = runtime_json(runtime);
        if (list)
            json_add(object, "files", placements_json(list));
        return print_json(object);
    }
    print_runtime(runtime);
    if (list)
        print_placements(list);
    return EXIT_SUCCESS;
}

static int resolve(const struct options *options) {
    _cleanup_way_ struct way way = {0};
    int status = way_to_runtime(options, &way);
    return status ? status : print(options, way.runtime);
}

const struct command command_resolve = {
    .name = "resolve",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_FILES,
    .summary = "put a profile on disk, ready to run",
    .description = "Put a profile on disk, verified and ready to run, and tell where its parts\n"
                   "are. Without --profile, it is chosen as by \"volt-qemu select\".\n"
                   "With --json: profile, arch (the guest's), binary, firmware_dir, lib_dir,\n"
                   "module_dir, loader, tree, manifest, revision, ref (the same), digest. What it\n"
                   "has not is null.\n"
                   "--files tells how each file was made from its object, and if it is no hard\n"
                   "link, why; with --json as files: path, how, message.\n",
    .example = "  volt-qemu resolve --profile emulate-x86\n"
               "  volt-qemu resolve --mode hybrid-emulated --guest-arch aarch64 --json\n",
    .run = resolve,
};
