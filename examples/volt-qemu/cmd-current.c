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
#include "revision-name.h"

static int print(const struct options *options, const vqemu_revision *revision) {
    bool is_set = is_revision_name(options->operand);
    const char *profile = vqemu_revision_profile_name(revision),
               *name = vqemu_revision_name(revision);
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "profile", profile);
        json_add_text(object, "revision", name);
        json_add_text(object, "ref", name);
        json_add(object, "set", json_boolean(is_set));
        return print_json(object);
    }
    printf("%s uses %s%s\n", profile, name, is_set ? "" : ", the newest");
    return EXIT_SUCCESS;
}

static int current(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the revision or profile is missing");
    int status = store_from_options(options, 0, &store);
    if (status)
        return status;
    if (vqemu_store_set_current(store, options->operand, 0, options->call, &error))
        return fail_request(options->command, error);
    status = find_revision_of(options, store, options->operand, &revision);
    return status ? status : print(options, revision);
}

const struct command command_current = {
    .name = "current",
    .operand = "REVISION|PROFILE",
    .operands = 1,
    .summary = "set which revision of a profile is used",
    .description =
        "Set which revision of its profile is used, whatever is newer, until another one\n"
        "is set: so one rolls back. With the name of a profile, its newest is used again.\n"
        "Guests that run are not touched.\n"
        "With --json: profile, revision, ref (the same), set (false: the newest).\n",
    .example = "  volt-qemu current emulate-x86-8e1e73bc\n"
               "  volt-qemu current emulate-x86\n",
    .run = current,
};
