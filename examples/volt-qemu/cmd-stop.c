/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "json.h"
#include "message.h"
#include "options.h"

static int stop(const struct options *options) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the socket is missing");
    uint32_t timeout = options->timeout < 0 ? DEFAULT_STOP_TIMEOUT : (uint32_t)options->timeout;
    int code = vqemu_shutdown(options->operand, timeout, &error);
    if (code)
        return fail_request(options->command, error);
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "socket", options->operand);
        return print_json(object);
    }
    return EXIT_SUCCESS;
}

const struct command command_stop = {
    .name = "stop",
    .operand = "SOCKET",
    .option_groups = OPTIONS_STOP,
    .summary = "shut a VM down in order",
    .description =
        "Shut the VM behind a QMP socket down: press its power button, and wait until the\n"
        "guest has switched itself off. A guest that does not within --timeout is ended as\n"
        "by a loss of power, and the exit status is 1. The socket must be one that no other\n"
        "client holds.\n"
        "With --json: socket.\n",
    .example = "  volt-qemu stop --timeout 30 /run/volt/web/unit.sock\n",
    .run = stop,
};
