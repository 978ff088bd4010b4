/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "table.h"
#include "text.h"

/* Whether a use is of a ref and of a kind. */
static bool is_use(const vqemu_use_list *uses, size_t index, const vqemu_revision *ref,
                   const char *kind) {
    return strcmp(vqemu_use_list_revision(uses, index), vqemu_revision_name(ref)) == 0 &&
           strcmp(vqemu_use_list_kind(uses, index), kind) == 0;
}

static bool has_use(const vqemu_use_list *uses, const vqemu_revision *ref, const char *kind) {
    for (size_t i = 0; i < vqemu_use_list_count(uses); i++)
        if (is_use(uses, i, ref, kind))
            return true;
    return false;
}

static json_t *ref_json(const vqemu_use_list *uses, const vqemu_revision *ref) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(ref); /* NULL if it is broken */
    json_t *object = json_object();
    json_add_text(object, "name", vqemu_revision_name(ref));
    json_add_text(object, "profile", vqemu_revision_profile(ref));
    json_add_text(object, "path", vqemu_revision_path(ref));
    json_add_text(object, "created_at", manifest ? vqemu_manifest_created_at(manifest) : NULL);
    json_add_text(object, "digest", manifest ? vqemu_manifest_digest(manifest) : NULL);
    json_add_number(object, "objects",
                    manifest ? (int64_t)vqemu_manifest_object_count(manifest) : -1);
    json_add_number(object, "total_bytes", manifest ? vqemu_manifest_total_bytes(manifest) : -1);
    json_add_text(object, "qemu_version", manifest ? vqemu_manifest_qemu_version(manifest) : NULL);
    json_add(object, "current", json_boolean(has_use(uses, ref, "current")));
    json_add(object, "pinned", json_boolean(has_use(uses, ref, "pin")));
    json_add(object, "in_use",
             json_boolean(has_use(uses, ref, "process") || has_use(uses, ref, "lease")));
    json_add_text(object, "problem", vqemu_revision_problem(ref));
    return object;
}

static json_t *ref_list_json(const vqemu_use_list *uses, const vqemu_revision_list *list) {
    json_t *array = json_array();
    for (size_t i = 0; i < vqemu_revision_list_count(list); i++)
        json_append(array, ref_json(uses, vqemu_revision_list_at(list, i)));
    return array;
}

/* "current, pinned by unit:volt-web, in use"; "-" for nothing. */
static void add_uses(struct table *table, const vqemu_use_list *uses, const vqemu_revision *ref) {
    char text[1024];
    size_t length = 0;
    text[0] = '\0';
    if (has_use(uses, ref, "current"))
        length += (size_t)snprintf(text, sizeof text, ", current");
    for (size_t i = 0; i < vqemu_use_list_count(uses) && length < sizeof text / 2; i++) {
        const char *holder = vqemu_use_list_holder(uses, i);
        if (is_use(uses, i, ref, "pin"))
            length += (size_t)snprintf(text + length, sizeof text - length, ", pinned%s%.200s",
                                       *holder ? " by " : "", holder);
    }
    if (has_use(uses, ref, "process") || has_use(uses, ref, "lease"))
        snprintf(text + length, sizeof text - length, ", in use");
    table_add(table, "%s", *text ? text + strlen(", ") : "-");
}

static void add_ref(struct table *table, const vqemu_use_list *uses, const vqemu_revision *ref) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(ref);
    table_add(table, "%s", vqemu_revision_name(ref));
    if (!manifest) {
        for (size_t i = 1; i < table->column_count; i++)
            table_add(table, "-");
        return;
    }
    _cleanup_free_ char *size = format_size(vqemu_manifest_total_bytes(manifest));
    const char *qemu_version = vqemu_manifest_qemu_version(manifest);
    table_add(table, "%s", vqemu_manifest_created_at(manifest));
    table_add(table, "%zu", vqemu_manifest_object_count(manifest));
    table_add(table, "%s", size);
    table_add(table, "%s", qemu_version ? qemu_version : "-");
    add_uses(table, uses, ref);
}

static void print_refs(const vqemu_use_list *uses, const vqemu_revision_list *list) {
    static const struct column columns[] = {{"NAME", LEFT},  {"CREATED", LEFT}, {"OBJECTS", RIGHT},
                                            {"SIZE", RIGHT}, {"QEMU", LEFT},    {"USE", LEFT}};
    _cleanup_table_ struct table table = {.columns = columns, .column_count = 6};
    for (size_t i = 0; i < vqemu_revision_list_count(list); i++)
        add_ref(&table, uses, vqemu_revision_list_at(list, i));
    table_print(&table);
}

static void warn_of_broken(const vqemu_revision_list *list) {
    for (size_t i = 0; i < vqemu_revision_list_count(list); i++) {
        const vqemu_revision *ref = vqemu_revision_list_at(list, i);
        if (vqemu_revision_problem(ref))
            warn("%s is broken: %s", vqemu_revision_name(ref), vqemu_revision_problem(ref));
    }
}

static int refs(const struct options *options) {
    if (options->profile && options->operand)
        return fail_usage(options->command, "the profile was given twice");
    const char *profile = options->profile ? options->profile : options->operand;

    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_ref_list_ vqemu_revision_list *list = NULL;
    _cleanup_use_list_ vqemu_use_list *uses = NULL;
    if (store_from_options(options, 0, &store))
        return EXIT_FAILURE;
    if (vqemu_store_list_revisions(store, profile, 0, options->call, &list, &error))
        return fail(error);

    warn_of_broken(list);
    if (vqemu_store_list_uses(store, NULL, 0, options->call, &uses, &error))
        warn("which of them are used cannot be told: %s", vqemu_error_message(error));
    if (options->json)
        return print_json(ref_list_json(uses, list));
    print_refs(uses, list);
    return EXIT_SUCCESS;
}

const struct command command_refs = {
    .name = "refs",
    .operand = "[PROFILE]",
    .option_groups = OPTIONS_PROFILE,
    .summary = "list the versions of profiles that the store has",
    .description = "List the refs of a profile, or of all: its versions in the store, the newest\n"
                   "first. Of a ref that is broken only the name is known; a warning says why.\n"
                   "With --json: an array of name, profile, path, created_at, digest, objects,\n"
                   "total_bytes, qemu_version, current, pinned, in_use, problem.\n",
    .example = "  volt-qemu refs emulate-x86\n",
    .run = refs,
};
