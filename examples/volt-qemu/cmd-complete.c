/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "checked.h"
#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "vm-options.h"

/* "pc-q35-7.2": what has a number behind a hyphen is one version of a machine. */
static bool has_version(const char *machine) {
    const char *dash = strrchr(machine, '-');
    return dash && dash[1] >= '0' && dash[1] <= '9';
}

/* Where QEMU was not asked, nobody knows what the name stands for. */
static void warn_of_machine(const vqemu_vm *vm) {
    const char *machine;
    if (vqemu_vm_get_string(vm, VQEMU_KEY_MACHINE, &machine, NULL) == 0 && machine &&
        !has_version(machine))
        warn("machine: %s is written without a version, since QEMU was not asked: another QEMU may "
             "have another machine by that name",
             machine);
}

static int complete(const struct options *options) {
    _cleanup_way_ struct way way = {0};
    _cleanup_capabilities_ vqemu_capabilities *capabilities = NULL;
    int status = vm_from_options(options, &way.vm);
    if (!status)
        status = way_to_runtime(options, &way);
    if (!status)
        status = capabilities_to_check(options, &way, &capabilities);
    if (status)
        return status;

    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vqemu_free_ char *text = NULL;
    int code = vqemu_vm_complete(way.vm, way.runtime, capabilities, 0, options->call, &error);
    if (!code)
        code = vqemu_vm_to_json(way.vm, 0, &text, &error);
    if (code)
        return fail_vm(error);
    if (!capabilities)
        warn_of_machine(way.vm);
    print_json_text(text);
    return EXIT_SUCCESS;
}

const struct command command_complete = {
    .name = "complete",
    .option_groups =
        OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_VM | OPTIONS_POLICY,
    .summary = "write the defaults of a VM's hardware into its description",
    .description =
        "Print the description of a VM with the defaults of its hardware, as the profile\n"
        "would have them, the versioned machine of its QEMU, and the ids and places of its\n"
        "devices: later versions of this program then give it the same hardware. It is JSON\n"
        "with and without --json. Where QEMU cannot be asked, or with --no-check, the machine\n"
        "keeps a name without a version, with a warning.\n",
    .example = "  volt-qemu complete --vm web.json >web-complete.json\n",
    .run = complete,
};
