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
#include "text.h"
#include "vm-options.h"

static json_t *environment_json(const vqemu_command *command) {
    json_t *variables = json_array();
    for (char *const *variable = vqemu_command_envp(command); *variable; variable++)
        json_append_text(variables, *variable);
    json_t *object = json_object();
    json_add(object, "env", variables);
    return object;
}

static int env(const struct options *options) {
    _cleanup_way_ struct way way = {0};
    int status = vm_from_options(options, &way.vm);
    if (!status)
        status = way_to_command(options, &way);
    if (status)
        return status;

    if (options->json)
        return print_json(environment_json(way.command));
    for (char *const *variable = vqemu_command_envp(way.command); *variable; variable++) {
        _cleanup_free_ char *safe = printable(*variable);
        puts(safe);
    }
    return EXIT_SUCCESS;
}

const struct command command_env = {
    .name = "env",
    .option_groups =
        OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_VM | OPTIONS_POLICY,
    .summary = "print the environment that a VM runs in",
    .description = "Print the whole environment of the command that runs a VM, a line for each\n"
                   "variable. Options as of \"volt-qemu args\".\n"
                   "With --json: env, an array of strings.\n",
    .example = "  volt-qemu env --profile emulate-x86 --kernel vmlinuz\n",
    .run = env,
};
