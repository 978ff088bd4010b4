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

static int rm(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the ref is missing");
    if (store_from_options(options, 0, &store))
        return EXIT_FAILURE;
    progress_begin(options);
    int code = vqemu_store_remove_revision(store, options->operand, 0, options->call, &error);
    progress_end();
    if (code)
        return fail_request(options->command, error);
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "removed", options->operand);
        return print_json(object);
    }
    printf("removed %s\n", options->operand);
    return EXIT_SUCCESS;
}

const struct command command_rm = {
    .name = "rm",
    .operand = "REF",
    .summary = "remove a version from the store",
    .description =
        "Remove one ref, with its tree, unless a guest uses it, it is pinned, or it was\n"
        "set by \"volt-qemu current\". Its objects go at the next \"volt-qemu gc\".\n"
        "With --json: removed.\n",
    .example = "  volt-qemu rm emulate-x86-8e1e73bc\n",
    .run = rm,
};
