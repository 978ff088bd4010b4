/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "text.h"
#include "user-directories.h"

/* ---- making them ---- */

/* This program, by which a service stops its guest. NULL if it is no file any more. */
static char *own_path(void) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    return length > 0 && access(path, X_OK) == 0 ? format_text("%s", path) : NULL;
}

static int build(const struct options *options, vqemu_runtime *runtime, vqemu_vm *vm,
                 vqemu_unit **unit) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *helper = own_path();
    uint32_t flags = options->user_manager ? VQEMU_UNIT_USER : 0;
    if (!helper)
        warn("this program is no file any more; the unit will stop the guest by SIGTERM");
    int code = options->user_manager ? user_directories_set(runtime, vm, &error) : 0;
    if (!code)
        code = vqemu_unit_build(runtime, vm, helper, flags, unit, &error);
    return code ? fail_request(options->command, error) : 0;
}

/* ---- printing them ---- */

static int print_as_json(const vqemu_unit *unit) {
    json_t *object = json_object(), *units = json_array();
    json_add_text(object, "unit", vqemu_unit_text(unit, 0));
    for (size_t i = 0; i < vqemu_unit_count(unit); i++) {
        json_t *item = json_object();
        json_add_text(item, "name", vqemu_unit_name(unit, i));
        json_add_text(item, "text", vqemu_unit_text(unit, i));
        json_append(units, item);
    }
    json_add(object, "units", units);
    return print_json(object);
}

static void print_units(const vqemu_unit *unit) {
    bool are_many = vqemu_unit_count(unit) > 1;
    for (size_t i = 0; i < vqemu_unit_count(unit); i++) {
        if (are_many)
            printf("%s# %s\n", i > 0 ? "\n" : "", vqemu_unit_name(unit, i));
        fputs(vqemu_unit_text(unit, i), stdout);
    }
}

/* ---- writing them ---- */

/* Hidden, so that systemd does not take it for a unit. */
static char *staged_path(const struct options *options, const vqemu_unit *unit, size_t index) {
    return format_text("%s/.%s.%d.tmp", options->output, vqemu_unit_name(unit, index),
                       (int)getpid());
}

static int stage(const char *path, const char *text) {
    FILE *file = fopen(path, "wxe");
    if (!file)
        return -1;
    bool good = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int saved = errno;
    if (fclose(file) == 0 && good)
        return 0;
    errno = good ? errno : saved;
    return -1;
}

/* Each file is whole; the VM's own service, which needs the others, is the last. */
static int write_units(const struct options *options, const vqemu_unit *unit) {
    size_t count = vqemu_unit_count(unit), staged = 0;
    int status = 0;
    while (!status && staged < count) {
        _cleanup_free_ char *path = staged_path(options, unit, staged);
        if (stage(path, vqemu_unit_text(unit, staged++)) < 0)
            status = fail_text("cannot write %s: %s", path, strerror(errno));
    }
    for (size_t i = staged; i-- > 0;) {
        _cleanup_free_ char *path = staged_path(options, unit, i);
        _cleanup_free_ char *name = format_text("%s/%s", options->output, vqemu_unit_name(unit, i));
        if (!status && rename(path, name) < 0)
            status = fail_text("cannot write %s: %s", name, strerror(errno));
        if (status)
            unlink(path);
    }
    return status;
}

static int write_and_tell(const struct options *options, const vqemu_unit *unit) {
    int status = write_units(options, unit);
    if (status)
        return status;
    if (options->json)
        return print_as_json(unit);
    for (size_t i = 0; i < vqemu_unit_count(unit); i++)
        puts(vqemu_unit_name(unit, i));
    return EXIT_SUCCESS;
}

static int unit(const struct options *options) {
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_selection_ vqemu_selection *selection = NULL;
    _cleanup_runtime_ vqemu_runtime *runtime = NULL;
    _cleanup_unit_ vqemu_unit *made = NULL;
    int status = vm_from_options(options, &vm);
    if (!status)
        status = selection_for_vm(options, vm, &selection);
    if (!status)
        status = runtime_from_options(options, selection, &runtime);
    if (!status)
        status = build(options, runtime, vm, &made);
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
                     OPTIONS_UNIT | OPTIONS_USER,
    .summary = "print the systemd service that runs a VM",
    .description =
        "Print the systemd service that runs a VM, confined to what the VM uses. If the VM\n"
        "has a TPM or shares over virtiofs, there are units for these as well, each after a\n"
        "comment with its file name. Stopping the service shuts the guest down in order, by\n"
        "this program. Options as of \"volt-qemu args\".\n"
        "With --json: unit (the service), units (name, text).\n",
    .example =
        "  volt-qemu unit --vm web.json --output /etc/systemd/system\n"
        "  volt-qemu unit --vm web.json --user-manager >~/.config/systemd/user/web.service\n",
    .run = unit,
};
