/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "broken-pipe.h"
#include "cleanup.h"
#include "commands.h"
#include "exit-status.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "open-patiently.h"
#include "option-table.h"
#include "options.h"
#include "patience.h"
#include "progress.h"
#include "revision-name.h"
#include "whole-file.h"

static int export_to_fd(const struct options *options, vqemu_store *store, vqemu_revision *revision,
                        int fd, const char *name) {
    _cleanup_error_ vqemu_error *error = NULL;
    progress_begin(options);
    int code = vqemu_store_export(store, revision, fd, name, 0, options->call, &error);
    progress_end();
    if (code && fd == STDOUT_FILENO && output_is_broken())
        return STATUS_BROKEN_PIPE;
    return code ? fail(error) : EXIT_SUCCESS;
}

static int export_to_file(const struct options *options, vqemu_store *store,
                          vqemu_revision *revision, const char *path) {
    struct whole_file file;
    int status = whole_file_begin(&file, path);
    if (!status)
        status = export_to_fd(options, store, revision, file.fd, path);
    if (!status)
        status = whole_file_sync(&file);
    return whole_file_end(&file, status);
}

/* A regular file is replaced at once; a pipe or device is written into. */
static bool is_replaceable(const char *path) {
    struct stat status;
    return stat(path, &status) < 0 || S_ISREG(status.st_mode);
}

/* Open what is no file. A FIFO without a reader would be waited for whatever the time that was
 * given; errno is ENXIO if none has come. */
static int open_pipe(const struct options *options, const char *path) {
    int64_t end = patience_end(options);
    int fd;
    do
        fd = open_patiently(AT_FDCWD, path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
    while (fd < 0 && errno == ENXIO && patience_wait(-1, 0, end));
    if (fd < 0)
        return fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

static int export_to_path(const struct options *options, vqemu_store *store,
                          vqemu_revision *revision, const char *path) {
    if (is_replaceable(path))
        return export_to_file(options, store, revision, path);
    int fd = open_pipe(options, path);
    if (fd < 0)
        return errno == ENXIO ? fail_impatient(options, "a reader of the pipe")
                              : fail_writing(errno, path);
    int status = export_to_fd(options, store, revision, fd, path);
    close(fd);
    return status;
}

static int tell_layout(const struct options *options, const vqemu_revision *revision,
                       const char *digest) {
    const char *tag = options->tag ? options->tag : vqemu_revision_name(revision);
    if (!options->json) {
        printf("%s is in %s as %s, %s\n", vqemu_revision_name(revision), options->layout, tag,
               digest);
        return EXIT_SUCCESS;
    }
    json_t *object = json_object();
    json_add_text(object, "name", vqemu_revision_name(revision));
    json_add_text(object, "layout", options->layout);
    json_add_text(object, "tag", tag);
    json_add_text(object, "digest", digest);
    return print_json(object);
}

static int export_to_layout(const struct options *options, vqemu_store *store,
                            vqemu_revision *revision) {
    _cleanup_error_ vqemu_error *error = NULL;
    char *digest = NULL;
    progress_begin(options);
    int code = vqemu_store_export_layout(store, options->layout, revision, options->tag, 0,
                                         options->call, &digest, &error);
    progress_end();
    int status = code ? fail(error) : tell_layout(options, revision, digest);
    vqemu_free(digest);
    return status;
}

static int check_words(const struct options *options) {
    if (!options->operand)
        return fail_usage(options->command, "the revision or profile is missing");
    if (options->layout && options->output)
        return fail_usage(options->command, "--output is of an archive, --layout is none");
    if (options->tag && !options->layout)
        return fail_usage(options->command, "--tag needs --layout");
    if (options->max_layers >= 0 && !options->layout)
        return fail_usage(options->command, "--max-layers needs --layout");
    if (!options->layout && !options->output && isatty(STDOUT_FILENO))
        return fail_usage(options->command, "an archive is nothing for a terminal: give --output");
    return 0;
}

static int export(const struct options *options) {
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    int status = check_words(options);
    if (!status)
        status = store_from_options(options, 0, &store);
    if (!status)
        status = find_revision_of(options, store, options->operand, &revision);
    if (status)
        return status;
    if (options->layout)
        return export_to_layout(options, store, revision);
    return options->output
               ? export_to_path(options, store, revision, options->output)
               : export_to_fd(options, store, revision, STDOUT_FILENO, "standard output");
}

const struct command command_export = {
    .name = "export",
    .operand = "REVISION|PROFILE",
    .operands = 1,
    .option_groups = OPTIONS_EXPORT | OPTIONS_LAYOUT,
    .summary = "write a revision of a profile as a tar archive, or into an OCI layout",
    .description =
        "Write a revision, or the one that is used of a profile, as a plain tar archive.\n"
        "The same revision always gives the same bytes, and \"volt-qemu import\" the same\n"
        "revision again. Every object is verified on the way. With --layout: into a directory\n"
        "that skopeo and others copy to registries; it may hold other things as well. Told is\n"
        "then the digest there; with --json: name, layout, tag, digest.\n",
    .example = "  volt-qemu export emulate-x86 --output emulate-x86.tar\n"
               "  volt-qemu export emulate-x86-8e1e73bc | zstd > emulate-x86.tar.zst\n"
               "  volt-qemu export emulate-x86 --layout profiles --tag latest\n",
    .run = export,
};
