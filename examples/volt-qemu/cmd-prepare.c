/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "option-table.h"
#include "options.h"
#include "vm-options.h"

static int report(const struct options *options, const vqemu_command *command) {
    if (!options->json)
        return EXIT_SUCCESS;
    json_t *object = json_object();
    json_add_text(object, "state_dir", vqemu_command_state_dir(command));
    json_add_text(object, "runtime_dir", vqemu_command_runtime_dir(command));
    return print_json(object);
}

static int prepare(const struct options *options) {
    _cleanup_way_ struct way way = {0};
    int status = vm_from_options(options, &way.vm);
    if (!status)
        status = way_to_command(options, &way);
    if (!status)
        status = prepare_from_options(options, way.command);
    return status ? status : report(options, way.command);
}

const struct command command_prepare = {
    .name = "prepare",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_VM |
                     OPTIONS_POLICY | OPTIONS_PREPARE | OPTIONS_USER,
    .summary = "make the directories and UEFI variables of a VM",
    .description =
        "Make what the command of a VM needs on disk before it is executed: its runtime\n"
        "directory, its state directory where it uses that, its logs, and for a UEFI guest\n"
        "the file of its variables, from the profile's template. What is there already\n"
        "stays. A VM that runs already is refused, and one whose disks, kernel or shares\n"
        "are missing. Variables that were made for other firmware are refused, unless an\n"
        "option says what to do.\n"
        "With --json: state_dir, runtime_dir.\n",
    .example = "  volt-qemu prepare --vm desktop.json\n"
               "  volt-qemu prepare --vm desktop.json --keep-variables\n",
    .run = prepare,
};
