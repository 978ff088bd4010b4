/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "closure.h"
#include "commands.h"
#include "from-options.h"
#include "message.h"
#include "open-patiently.h"
#include "option-table.h"
#include "options.h"
#include "progress.h"
#include "stored.h"

static int ingest_directory(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_ingest_options_ vqemu_ingest_options *said = NULL;
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    int status = ingest_options_from_options(options, &said);
    if (!status)
        status = store_from_options(options, VQEMU_STORE_CREATE, &store);
    if (status)
        return status;

    progress_begin(options);
    int code =
        vqemu_store_ingest(store, options->operand, said, options->whole ? VQEMU_INGEST_WHOLE : 0,
                           options->call, &result, &error);
    progress_end();
    if (code)
        return fail(error);
    if (!options->json)
        warn_of_closure(vqemu_ingest_closure(result));
    return print_stored(options, result);
}

static int ingest(const struct options *options) {
    if (!options->profile)
        return fail_usage(options->command, "--profile is missing");
    if (!options->operand)
        return fail_usage(options->command, "the directory is missing");
    /* The library would tell these two as well, but only after the store has been made. */
    int status = check_new_profile(options);
    if (status)
        return status;
    int fd = open_patiently(AT_FDCWD, options->operand, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return fail_system(errno, "cannot read the directory %s", options->operand);
    close(fd);
    return ingest_directory(options);
}

const struct command command_ingest = {
    .name = "ingest",
    .operand = "DIR",
    .operands = 1,
    .option_groups = OPTIONS_PROFILE | OPTIONS_INGEST | OPTIONS_WHOLE,
    .summary = "put a directory into the store as a profile",
    .description =
        "Put a directory with bin/, lib/ and firmware/ into the store as a new revision of\n"
        "a profile, which must be named with --profile. The store is made if it is not\n"
        "there. If the newest revision is the same already, nothing is written. A profile\n"
        "of your own needs --accel and --guests; what it can do is found in its files,\n"
        "unless --abilities says it.\n"
        "Warns of what its files ask for, or it is to be able to do, and is missing, or\n"
        "would come from the host; with --whole that is refused.\n"
        "With --json: revision, ref (the same), profile, path, digest, objects, binaries,\n"
        "libraries, firmware, total_bytes, current (the name of the\n"
        "revision that is used now), displaced (of the one until now; null for none), unchanged, "
        "new_objects, new_bytes,\nclosure (kind, state, name, asked_by, message), abilities (by "
        "guest\narchitecture and name: the file that has it, or null if that cannot be told).\n",
    .example = "  volt-qemu ingest --profile emulate-x86 --qemu-version 7.2 /srv/qemu\n"
               "  volt-qemu ingest --profile tiny-arm --accel tcg --guests arm,aarch64 "
               "/srv/qemu-arm\n",
    .run = ingest,
};
