/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "message.h"
#include "options.h"
#include "progress.h"
#include "stored.h"

static int build_ref(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_ingest_options_ vqemu_ingest_options *said = NULL;
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    int status = ingest_options_from_options(options, &said);
    if (!status)
        status = store_from_options(options, VQEMU_STORE_CREATE, &store);
    if (status)
        return status;

    progress_begin(options);
    int code = vqemu_store_ingest(store, options->operand, said, 0, options->call, &ingest, &error);
    progress_end();
    return code ? fail(error) : print_stored(options, ingest);
}

static int build(const struct options *options) {
    if (!options->profile)
        return fail_usage(options->command, "--profile is missing");
    if (!options->operand)
        return fail_usage(options->command, "the directory is missing");
    /* The library would tell these two as well, but only after the store has been made. */
    if (!vqemu_profile_find(options->profile))
        return fail_usage(options->command, "unknown profile '%s'", options->profile);
    if (access(options->operand, R_OK | X_OK))
        return fail_text("cannot read the directory %s: %s", options->operand, strerror(errno));

    return build_ref(options);
}

const struct command command_build = {
    .name = "build",
    .operand = "DIR",
    .option_groups = OPTIONS_PROFILE | OPTIONS_BUILD,
    .summary = "put a directory into the store as a profile",
    .description = "Put a directory with bin/, lib/ and firmware/ into the store as a new version\n"
                   "of a profile, which must be named with --profile. The store is made if it is\n"
                   "not there. If the newest version is the same already, nothing is written.\n"
                   "With --json: ref, profile, path, digest, objects, binaries, libraries,\n"
                   "firmware, total_bytes, unchanged.\n",
    .example = "  volt-qemu build --profile emulate-x86 --qemu-version 7.2 /srv/qemu\n",
    .run = build,
};
