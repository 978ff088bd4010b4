/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* fd: of an archive; -1 for a layout. */
static int import_from(const struct options *options, int fd, const char *name) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_ingest_options_ vqemu_ingest_options *said = NULL;
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    int status = ingest_options_from_options(options, &said);
    if (!status)
        status = store_from_options(options, VQEMU_STORE_CREATE, &store);
    if (status)
        return status;

    uint32_t flags = (options->any_profile ? VQEMU_IMPORT_ANY_PROFILE : 0) |
                     (options->whole ? VQEMU_IMPORT_WHOLE : 0);
    progress_begin(options);
    int code =
        fd >= 0 ? vqemu_store_import(store, fd, name, said, flags, options->call, &ingest, &error)
                : vqemu_store_import_layout(store, name, options->tag, said, flags, options->call,
                                            &ingest, &error);
    progress_end();
    if (code)
        return fail(error);
    if (!options->json)
        warn_of_closure(vqemu_ingest_closure(ingest));
    return print_stored(options, ingest);
}

static int import(const struct options *options) {
    if (!options->operand == !options->layout)
        return fail_usage(options->command, options->operand
                                                ? "an archive and --layout were given"
                                                : "the archive or --layout is missing");
    if (options->tag && !options->layout)
        return fail_usage(options->command, "--tag needs --layout");
    int unknown = options->profile ? check_new_profile(options) : 0;
    if (unknown)
        return unknown;
    if (options->layout)
        return import_from(options, -1, options->layout);
    if (strcmp(options->operand, "-") == 0)
        return import_from(options, STDIN_FILENO, "standard input");
    int fd = open_to_read(options->operand);
    if (fd < 0)
        return fail_system(errno, "cannot open the archive %s", options->operand);
    struct stat file;
    int status =
        fstat(fd, &file) == 0 && S_ISDIR(file.st_mode)
            ? fail_system(EISDIR, "cannot import %s; for directories there is volt-qemu ingest",
                          options->operand)
            : import_from(options, fd, options->operand);
    close(fd);
    return status;
}

const struct command command_import = {
    .name = "import",
    .operand = "[FILE]",
    .operands = 1,
    .option_groups = OPTIONS_PROFILE | OPTIONS_INGEST | OPTIONS_IMPORT | OPTIONS_WHOLE |
                     OPTIONS_LAYOUT | OPTIONS_KEY,
    .summary = "put a tar archive, or what is in an OCI layout, into the store as a profile",
    .description =
        "Put a tar archive (plain, gzip, xz or zstd; - is standard input) into the\n"
        "store as a revision of a profile, without unpacking it elsewhere. Which\n"
        "profile that is must be said: by --profile, or of an archive that \"volt-qemu\n"
        "export\" made by --digest, if you know it; with --any-profile, such an archive\n"
        "says it itself. In others bin/, lib/ and firmware/ must be at the top. Told\n"
        "is also if another revision goes on being used, since it is newer or was set.\n"
        "Warns of what its files ask for and is missing, as \"volt-qemu ingest\" does; with\n"
        "--whole that is refused. With --layout: from a directory that \"volt-qemu export\"\n"
        "or skopeo has made; --tag may be \"sha256:...\" as well. With --key: only what is\n"
        "signed, which is found out before anything of it is taken.\n"
        "With --json: as \"volt-qemu ingest\".\n",
    .example = "  volt-qemu import --profile emulate-x86 emulate-x86.tar\n"
               "  tar -C /srv/qemu -c . | volt-qemu import --profile emulate-x86 -\n"
               "  volt-qemu import --profile emulate-x86 --layout profiles --tag latest\n",
    .run = import,
};
