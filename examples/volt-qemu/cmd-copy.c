/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "progress.h"
#include "revision-name.h"
#include "stored.h"
#include "table.h"
#include "text.h"

static int print_copy(const struct options *options, const vqemu_ingest *copy) {
    const vqemu_revision *revision = vqemu_ingest_revision(copy);
    if (options->json) {
        json_t *object = stored_json(copy);
        json_add_count(object, "objects_copied", vqemu_ingest_new_object_count(copy));
        json_add_number(object, "bytes_copied", (int64_t)vqemu_ingest_new_bytes(copy));
        return print_json(object);
    }
    _cleanup_free_ char *size = format_size((int64_t)vqemu_ingest_new_bytes(copy));
    _cleanup_free_ char *copied =
        format_text("%zu objects, %s", vqemu_ingest_new_object_count(copy), size);
    print_field("revision", vqemu_revision_name(revision));
    print_used(copy);
    print_field("path", vqemu_revision_path(revision));
    print_field("copied", copied);
    return EXIT_SUCCESS;
}

static int copy(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *from = NULL, *to = NULL;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the revision or profile is missing");
    if (!options->to)
        return fail_usage(options->command, "--to is missing");
    int status = store_from_options(options, 0, &from);
    if (!status)
        status = find_revision_of(options, from, options->operand, &revision);
    if (status)
        return status;
    status = store_at(options, options->to, VQEMU_STORE_CREATE, &to);
    if (status)
        return status;

    progress_begin(options);
    int code = vqemu_store_copy(from, revision, to, 0, options->call, &result, &error);
    progress_end();
    return code ? fail(error) : print_copy(options, result);
}

const struct command command_copy = {
    .name = "copy",
    .operand = "REVISION|PROFILE",
    .operands = 1,
    .option_groups = OPTIONS_COPY | OPTIONS_KEY,
    .summary = "copy a revision of a profile to another store",
    .description = "Copy a revision, or the one that is used of a profile, to the store that --to\n"
                   "names; it is made if it is not there. Only what that store lacks travels.\n"
                   "Told is also if another revision goes on being used there. With --key: only\n"
                   "one that is signed.\n"
                   "With --json: as \"volt-qemu ingest\", and objects_copied, bytes_copied.\n",
    .example = "  volt-qemu copy emulate-x86 --to /mnt/volt\n",
    .run = copy,
};
