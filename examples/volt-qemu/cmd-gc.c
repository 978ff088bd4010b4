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
#include "option-table.h"
#include "options.h"
#include "progress.h"
#include "table.h"
#include "text.h"

static json_t *kept_json(const vqemu_collection *collection) {
    json_t *kept = json_array();
    for (size_t i = 0; i < vqemu_collection_kept_count(collection); i++) {
        json_t *item = json_object();
        json_add_text(item, "kind", vqemu_collection_kept_kind(collection, i));
        json_add_text(item, "name", vqemu_collection_kept_name(collection, i));
        json_add_text(item, "message", vqemu_collection_kept_message(collection, i));
        json_append(kept, item);
    }
    return kept;
}

static json_t *collection_json(const struct options *options, const vqemu_collection *collection) {
    json_t *object = json_object(), *removed = json_array();
    for (size_t i = 0; i < vqemu_collection_count(collection); i++) {
        json_t *item = json_object();
        json_add_text(item, "kind", vqemu_collection_kind(collection, i));
        json_add_text(item, "name", vqemu_collection_name(collection, i));
        json_add_number(item, "bytes", (int64_t)vqemu_collection_bytes(collection, i));
        json_append(removed, item);
    }
    json_add(object, "dry_run", json_boolean(options->dry_run));
    json_add_number(object, "freed_bytes", (int64_t)vqemu_collection_freed_bytes(collection));
    json_add(object, "removed", removed);
    json_add(object, "kept", kept_json(collection));
    return object;
}

static size_t count_kind(const vqemu_collection *collection, const char *kind) {
    size_t count = 0;
    for (size_t i = 0; i < vqemu_collection_count(collection); i++)
        count += strcmp(vqemu_collection_kind(collection, i), kind) == 0;
    return count;
}

/* Objects are only counted: there can be thousands. */
static void print_removed(const struct options *options, const vqemu_collection *collection) {
    for (size_t i = 0; i < vqemu_collection_count(collection); i++) {
        const char *kind = vqemu_collection_kind(collection, i);
        if (strcmp(kind, "object") == 0)
            continue;
        _cleanup_free_ char *name = printable(vqemu_collection_name(collection, i));
        printf("%s %s %s\n", options->dry_run ? "would remove" : "removed", kind, name);
    }
}

/* Without --keep no revision goes anyway. */
static void print_kept(const struct options *options, const vqemu_collection *collection) {
    for (size_t i = 0; i < vqemu_collection_kept_count(collection); i++) {
        const char *kind = vqemu_collection_kept_kind(collection, i);
        if (options->keep <= 0 && strcmp(kind, "revision") == 0)
            continue;
        _cleanup_free_ char *name = printable(vqemu_collection_kept_name(collection, i));
        _cleanup_free_ char *message = printable(vqemu_collection_kept_message(collection, i));
        printf("kept %s %s: %s\n", kind, name, message);
    }
}

static void print_collection(const struct options *options, const vqemu_collection *collection) {
    _cleanup_free_ char *size = format_size((int64_t)vqemu_collection_freed_bytes(collection));
    print_removed(options, collection);
    print_kept(options, collection);
    printf("%s %zu revisions, %zu trees, %zu objects, %zu leftovers: %s %s\n",
           options->dry_run ? "would remove" : "removed", count_kind(collection, "revision"),
           count_kind(collection, "tree"), count_kind(collection, "object"),
           count_kind(collection, "staging"), size, options->dry_run ? "to free" : "freed");
}

static int gc(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_collect_options_ vqemu_collect_options *limits = NULL;
    _cleanup_collection_ vqemu_collection *collection = NULL;
    if (options->keep == 0)
        return fail_usage(options->command, "--keep must be 1 or more");
    int status = store_from_options(options, 0, &store);
    if (!status)
        status = show_warnings(options);
    if (status)
        return status;

    progress_begin(options);
    int code = vqemu_collect_options_new(&limits, &error);
    if (!code && options->keep > 0)
        code = vqemu_collect_options_set_number(limits, VQEMU_COLLECT_KEEP, (uint64_t)options->keep,
                                                &error);
    if (!code)
        code = vqemu_store_collect(store, limits, options->dry_run ? VQEMU_COLLECT_DRY_RUN : 0,
                                   options->call, &collection, &error);
    progress_end();
    if (code)
        return fail(error);
    if (options->json)
        return print_json(collection_json(options, collection));
    print_collection(options, collection);
    return EXIT_SUCCESS;
}

const struct command command_gc = {
    .name = "gc",
    .option_groups = OPTIONS_COLLECT,
    .summary = "remove what nothing reaches",
    .description =
        "Remove trees and objects that no revision reaches, and what was left half-made\n"
        "by programs that died. With --keep N, first remove all but the N newest\n"
        "revisions of each profile. What is pinned, set to be used, or used by a running\n"
        "guest stays. Tells what stays, and why.\n"
        "With --json: dry_run, freed_bytes, removed (kind, name, bytes), kept (kind,\n"
        "name, message).\n",
    .example = "  volt-qemu gc --dry-run\n"
               "  volt-qemu gc --keep 2\n",
    .run = gc,
};
