/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "options.h"

static int unit(const struct options *options) {
    _cleanup_command_ vqemu_command *command = NULL;
    int status = command_from_options(options, &command);
    if (status)
        return status;

    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vqemu_free_ char *text = NULL;
    if (vqemu_unit_text(command, &text, &error))
        return fail(error);
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "unit", text);
        return print_json(object);
    }
    fputs(text, stdout);
    return EXIT_SUCCESS;
}

const struct command command_unit = {
    .name = "unit",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_VM,
    .summary = "print a systemd service that runs a VM",
    .description = "Print a systemd service that runs a VM. Options as of \"volt-qemu args\".\n"
                   "With --json: unit, a string.\n",
    .example = "  volt-qemu unit --vm web.json >/etc/systemd/system/web.service\n",
    .run = unit,
};
