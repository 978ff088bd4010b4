/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "message.h"
#include "options.h"
#include "progress.h"
#include "text.h"

/* On a network or FUSE file system, opening and syncing can be interrupted. */
static int open_output(const char *path, int flags) {
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0644);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static int sync_output(int fd) {
    int r;
    do
        r = fsync(fd);
    while (r < 0 && errno == EINTR);
    return r;
}

static int export_to_fd(const struct options *options, vqemu_store *store, vqemu_revision *ref,
                        int fd, const char *name) {
    _cleanup_error_ vqemu_error *error = NULL;
    progress_begin(options);
    int code = vqemu_store_export(store, ref, fd, name, 0, options->call, &error);
    progress_end();
    return code ? fail(error) : EXIT_SUCCESS;
}

/* Written beside it first: the file appears whole or not at all. */
static int export_to_file(const struct options *options, vqemu_store *store, vqemu_revision *ref,
                          const char *path) {
    _cleanup_free_ char *staged = format_text("%s.%d.tmp", path, (int)getpid());
    int fd = open_output(staged, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0)
        return fail_text("cannot write %s: %s", staged, strerror(errno));
    int status = export_to_fd(options, store, ref, fd, path);
    if (!status && sync_output(fd) < 0)
        status = fail_text("cannot write %s: %s", path, strerror(errno));
    close(fd);
    if (!status && rename(staged, path) < 0)
        status = fail_text("cannot write %s: %s", path, strerror(errno));
    if (status)
        unlink(staged);
    return status;
}

/* A regular file is replaced at once; a pipe or device is written into. */
static bool is_replaceable(const char *path) {
    struct stat status;
    return stat(path, &status) < 0 || S_ISREG(status.st_mode);
}

static int export_to_path(const struct options *options, vqemu_store *store, vqemu_revision *ref,
                          const char *path) {
    if (is_replaceable(path))
        return export_to_file(options, store, ref, path);
    int fd = open_output(path, O_WRONLY);
    if (fd < 0)
        return fail_text("cannot write %s: %s", path, strerror(errno));
    int status = export_to_fd(options, store, ref, fd, path);
    close(fd);
    return status;
}

static int export(const struct options *options) {
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_ref_ vqemu_revision *ref = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the ref or profile is missing");
    if (!options->output && isatty(STDOUT_FILENO))
        return fail_usage(options->command, "an archive is nothing for a terminal: give --output");
    int status = store_from_options(options, 0, &store);
    if (!status)
        status = ref_from_operand(options, store, &ref);
    if (status)
        return status;
    return options->output ? export_to_path(options, store, ref, options->output)
                           : export_to_fd(options, store, ref, STDOUT_FILENO, "standard output");
}

const struct command command_export = {
    .name = "export",
    .operand = "REF|PROFILE",
    .option_groups = OPTIONS_EXPORT,
    .summary = "write a version of a profile as a tar archive",
    .description = "Write a ref, or the newest ref of a profile, as a plain tar archive. The same\n"
                   "ref always gives the same bytes, and \"volt-qemu import\" the same ref again.\n"
                   "Every object is verified on the way.\n",
    .example = "  volt-qemu export emulate-x86 --output emulate-x86.tar\n"
               "  volt-qemu export emulate-x86-8e1e73bc | zstd > emulate-x86.tar.zst\n",
    .run = export,
};
