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

static int current(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_ref_ vqemu_revision *ref = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the ref or profile is missing");
    if (store_from_options(options, 0, &store))
        return EXIT_FAILURE;
    if (vqemu_store_set_current(store, options->operand, 0, options->call, &error))
        return fail_request(options->command, error);
    if (vqemu_store_find_revision(store, options->operand, 0, options->call, &ref, &error))
        return fail(error);
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "profile", vqemu_revision_profile(ref));
        json_add_text(object, "ref", vqemu_revision_name(ref));
        return print_json(object);
    }
    printf("%s: now %s\n", vqemu_revision_profile(ref), vqemu_revision_name(ref));
    return EXIT_SUCCESS;
}

const struct command command_current = {
    .name = "current",
    .operand = "REF|PROFILE",
    .summary = "choose the version of a profile that is used",
    .description =
        "Use this ref of its profile from now on, also when there is a newer one: so one\n"
        "rolls back. With the name of a profile, use its newest again.\n"
        "With --json: profile, ref.\n",
    .example = "  volt-qemu current emulate-x86-8e1e73bc\n"
               "  volt-qemu current emulate-x86\n",
    .run = current,
};
