/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "checked.h"
#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "text.h"
#include "vm-options.h"
#include "whole-file.h"

/* ---- making them ---- */

#define WITHOUT_IT "the unit will stop the guest by SIGTERM"

/* This program, by which a service stops its guest. NULL, with a warning, if it cannot. */
static char *own_path(void) {
    char path[PATH_MAX];
    struct stat status;
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0) {
        warn("where this program is cannot be told: /proc/self/exe: %s; " WITHOUT_IT,
             strerror(errno));
        return NULL;
    }
    path[length] = '\0';
    if (stat(path, &status) == 0)
        return format_text("%s", path);
    if (errno == ENOENT)
        warn("this program is no file any more; " WITHOUT_IT);
    else
        warn("this program cannot be looked at: %s: %s; " WITHOUT_IT, path, strerror(errno));
    return NULL;
}

/* Where the library is that this program runs with; NULL if it is where all are. */
static char *library_directory(void) {
    Dl_info info;
    if (!dladdr((const void *)(uintptr_t)vqemu_units_build, &info) || !info.dli_fname)
        return NULL;
    char *path = realpath(info.dli_fname, NULL), *slash = path ? strrchr(path, '/') : NULL;
    if (slash && slash > path && strncmp(path, "/usr/", strlen("/usr/")) != 0) {
        *slash = '\0';
        return path;
    }
    free(path);
    return NULL;
}

static int set_stop_command(vqemu_unit_options *options, vqemu_error **error) {
    _cleanup_free_ char *program = own_path(), *directory = library_directory();
    const char *const words[] = {program, "stop", NULL};
    int code = program ? vqemu_unit_options_set_stop_command(options, words, error) : 0;
    if (!code && program && directory)
        code = vqemu_unit_options_set_string(options, VQEMU_UNIT_STOP_DIRECTORY, directory, error);
    return code;
}

/* Only now, for starting QEMU takes longer than all that a VM may be refused for without it. */
static int check(const struct options *options, const struct way *way,
                 vqemu_command_options *described, const vqemu_unit_options *unit_options,
                 uint32_t flags) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_capabilities_ vqemu_capabilities *capabilities = NULL;
    _cleanup_units_ vqemu_units *checked = NULL;
    int status = capabilities_to_check(options, way, &capabilities);
    if (status || !capabilities)
        return status;
    int code = vqemu_command_options_set_capabilities(described, capabilities, way->store, &error);
    if (!code)
        code = vqemu_units_build(way->runtime, way->vm, described, unit_options, flags,
                                 options->call, &checked, &error);
    return code ? fail_vm(error) : 0;
}

static int build(const struct options *options, const struct way *way, vqemu_units **units) {
    _cleanup_command_options_ vqemu_command_options *described = NULL;
    int status = command_options_from_options(options, &described);
    if (status)
        return status;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_unit_options_ vqemu_unit_options *unit_options = NULL;
    uint32_t flags = options->user_manager ? VQEMU_UNIT_USER_MANAGER : 0;
    int code = vqemu_unit_options_new(&unit_options, &error);
    if (!code)
        code = set_stop_command(unit_options, &error);
    if (!code && options->stop_timeout > 0)
        code = vqemu_unit_options_set_number(unit_options, VQEMU_UNIT_STOP_SECONDS,
                                             (uint64_t)options->stop_timeout, &error);
    if (!code)
        code = vqemu_units_build(way->runtime, way->vm, described, unit_options, flags,
                                 options->call, units, &error);
    return code ? fail_vm(error) : check(options, way, described, unit_options, flags);
}

/* ---- printing them ---- */

static int print_as_json(const vqemu_units *units) {
    json_t *object = json_object(), *array = json_array();
    json_add_text(object, "unit", vqemu_units_text(units, 0));
    for (size_t i = 0; i < vqemu_units_count(units); i++) {
        json_t *item = json_object();
        json_add_text(item, "name", vqemu_units_name(units, i));
        json_add_text(item, "text", vqemu_units_text(units, i));
        json_append(array, item);
    }
    json_add(object, "units", array);
    return print_json(object);
}

static void print_units(const vqemu_units *units) {
    bool are_many = vqemu_units_count(units) > 1;
    for (size_t i = 0; i < vqemu_units_count(units); i++) {
        if (are_many)
            printf("%s# %s\n", i > 0 ? "\n" : "", vqemu_units_name(units, i));
        fputs(vqemu_units_text(units, i), stdout);
    }
}

/* ---- writing them ---- */

static int stage(struct whole_file *file, const char *directory, const char *name,
                 const char *text) {
    _cleanup_free_ char *path = format_text("%s/%s", directory, name);
    int status = whole_file_begin(file, path);
    /* systemd reads it as root; whatever the umask is, nobody else writes it */
    if (!status && fchmod(file->fd, 0644) < 0)
        status = fail_writing(errno, path);
    if (!status)
        status = whole_file_write(file, text, strlen(text));
    return status ? status : whole_file_sync(file);
}

/* Each file is whole, and hidden until then, so that systemd takes nothing else for a unit. The
 * VM's own service, which needs the others, is the last. */
static int write_units(const struct options *options, const vqemu_units *units) {
    size_t count = vqemu_units_count(units), staged = 0;
    _cleanup_free_ struct whole_file *files = grow(NULL, count * sizeof *files);
    int status = 0;
    while (!status && staged < count) {
        status = stage(&files[staged], options->output, vqemu_units_name(units, staged),
                       vqemu_units_text(units, staged));
        staged++;
    }
    while (staged-- > 0)
        status = whole_file_end(&files[staged], status);
    return status;
}

static int write_and_tell(const struct options *options, const vqemu_units *units) {
    int status = write_units(options, units);
    if (status)
        return status;
    if (options->json)
        return print_as_json(units);
    for (size_t i = 0; i < vqemu_units_count(units); i++)
        puts(vqemu_units_name(units, i));
    return EXIT_SUCCESS;
}

static int unit(const struct options *options) {
    _cleanup_way_ struct way way = {0};
    _cleanup_units_ vqemu_units *made = NULL;
    int status = vm_from_options(options, &way.vm);
    if (!status)
        status = way_to_runtime(options, &way);
    if (!status)
        status = build(options, &way, &made);
    if (status)
        return status;
    if (options->output)
        return write_and_tell(options, made);
    if (options->json)
        return print_as_json(made);
    print_units(made);
    return EXIT_SUCCESS;
}

const struct command command_unit = {
    .name = "unit",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_VM |
                     OPTIONS_POLICY | OPTIONS_UNIT | OPTIONS_USER,
    .summary = "print the systemd service that runs a VM",
    .description =
        "Print the systemd service that runs a VM, as the user that its key user names, and\n"
        "confined to what the VM uses. If the VM has a TPM or shares over virtiofs, there are\n"
        "units for these as well, each after a comment with its file name. Stopping the\n"
        "service shuts the guest down in order, by this program. Options as of \"volt-qemu\n"
        "args\".\n"
        "With --json: unit (the service), units (name, text).\n",
    .example =
        "  volt-qemu unit --vm web.json --output /etc/systemd/system\n"
        "  volt-qemu unit --vm web.json --user-manager >~/.config/systemd/user/web.service\n",
    .run = unit,
};
