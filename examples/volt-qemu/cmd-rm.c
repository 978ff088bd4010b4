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
#include "progress.h"
#include "revision-name.h"
#include "text.h"

/* A profile is good for the only revision that there is of it: one of several is not guessed. */
static int check_single(const struct options *options, vqemu_store *store, const char *profile) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_revision_list_ vqemu_revision_list *list = NULL;
    if (vqemu_store_list_revisions(store, profile, 0, options->call, &list, &error))
        return fail(error);
    size_t count = vqemu_revision_list_count(list);
    return count < 2
               ? 0
               : fail_usage(options->command,
                            "profile %s has %zu revisions: name those to be removed (volt-qemu "
                            "revisions %s)",
                            profile, count, profile);
}

static int remove_one(const struct options *options, vqemu_store *store, const char *name,
                      json_t *removed) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *revision = NULL;
    int status = is_revision_name(name) ? 0 : check_single(options, store, name);
    if (!status)
        status = find_name_of(options, store, name, &revision);
    if (status)
        return status;
    progress_begin(options);
    int code = vqemu_store_remove_revision(store, revision, 0, options->call, &error);
    progress_end();
    if (code)
        return fail_request(options->command, error);
    json_append_text(removed, revision);
    if (!options->json)
        printf("removed %s\n", revision);
    return EXIT_SUCCESS;
}

/* Each as far as it goes: what has failed does not keep the others. */
static int rm(const struct options *options) {
    _cleanup_store_ vqemu_store *store = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the revision is missing");
    int status = store_from_options(options, 0, &store);
    if (!status)
        status = show_warnings(options);
    if (status)
        return status;
    json_t *object = json_object(), *removed = json_array();
    for (size_t i = 0; i < options->operand_count; i++) {
        int failed = remove_one(options, store, options->operands[i], removed);
        status = status ? status : failed;
    }
    json_add(object, "removed", removed);
    if (options->json && json_array_size(removed) > 0) {
        int failed = print_json(object);
        return status ? status : failed;
    }
    json_decref(object);
    return status;
}

const struct command command_rm = {
    .name = "rm",
    .operand = "REVISION...",
    .operands = (size_t)-1,
    .summary = "remove revisions",
    .description =
        "Remove revisions: their manifests, trees and links; their objects go at the next\n"
        "\"volt-qemu gc\". One that is in use, pinned, or set to be used is refused. A profile\n"
        "stands for its revision, if it has one only.\n"
        "With --json: removed, an array of names.\n",
    .example = "  volt-qemu rm emulate-x86-8e1e73bc\n",
    .run = rm,
};
