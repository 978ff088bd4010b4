/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "vm-options.h"

static int command_to_text(const struct options *options, const vqemu_command *command, char **text,
                           vqemu_error **error) {
    if (options->explain)
        return vqemu_command_explain(command, options->json ? 0 : VQEMU_EXPLAIN_AS_TEXT, text,
                                     error);
    return options->json ? vqemu_command_to_json(command, 0, text, error)
                         : vqemu_command_to_shell(command, 0, text, error);
}

static int args(const struct options *options) {
    _cleanup_way_ struct way way = {0};
    int status = vm_from_options(options, &way.vm);
    if (!status)
        status = way_to_command(options, &way);
    if (status)
        return status;

    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vqemu_free_ char *text = NULL;
    int code = command_to_text(options, way.command, &text, &error);
    if (code)
        return fail(error);
    if (options->json)
        print_json_text(text);
    else
        fputs(text, stdout);
    return EXIT_SUCCESS;
}

const struct command command_args = {
    .name = "args",
    .option_groups = OPTIONS_PROFILE | OPTIONS_WORKLOAD | OPTIONS_RESOLVE | OPTIONS_VM |
                     OPTIONS_POLICY | OPTIONS_EXPLAIN,
    .summary = "print the command that runs a VM, for a shell",
    .description =
        "Print the command that runs a VM: text for a shell, which starts QEMU with\n"
        "exactly these arguments and this environment. Without --profile, the profile\n"
        "is chosen as by \"volt-qemu select\". What stands after \"--\" is added to QEMU's\n"
        "arguments.\n"
        "With --json: argv, env, cwd, digest, hardware_digest, fingerprint (the digest).\n"
        "With --explain, instead: each argument, the key of the VM that it comes from, and\n"
        "why it is there; with --json, arguments: index, option, value, key, message,\n"
        "settings.\n",
    .example = "  volt-qemu args --profile emulate-x86 --kernel vmlinuz --rootfs /srv/web >web.sh\n"
               "  volt-qemu args --vm web.json --json -- -snapshot\n"
               "  volt-qemu args --vm web.json --explain\n",
    .run = args,
};
