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
    _cleanup_ref_ vqemu_revision *ref = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_build_info_ vqemu_build_info *info = NULL;
    _cleanup_ref_list_ vqemu_revision_list *before = NULL;
    int status = build_info_from_options(options, &info);
    if (!status)
        status = store_from_options(options, VQEMU_STORE_CREATE, &store);
    if (status)
        return status;
    if (vqemu_store_list_revisions(store, options->profile, &before, &error))
        return fail(error);

    struct progress progress;
    progress_begin(&progress);
    int code = vqemu_store_build(store, options->profile, options->operand, info, progress_step,
                                 &progress, &ref, &error);
    progress_end(&progress);
    return code ? fail(error) : print_stored(options, before, ref);
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
