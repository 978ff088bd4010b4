/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "json.h"
#include "message.h"
#include "options.h"

/* Milliseconds for QEMU to greet: whoever holds the socket may do so for ever. */
#define GREETING_TIME 10000

static int open_monitor(const char *path, vqemu_monitor **monitor, vqemu_error **error) {
    vqemu_call *call = NULL;
    int code = vqemu_call_new(&call, error);
    if (!code)
        code = vqemu_call_set_number(call, VQEMU_CALL_DEADLINE_MS, GREETING_TIME, error);
    if (!code)
        code = vqemu_monitor_open(path, 0, call, monitor, error);
    vqemu_call_unref(call);
    return code;
}

static const char *end_name(int32_t end) {
    switch (end) {
    case VQEMU_SHUTDOWN_POWERED_OFF:
        return "powered-off";
    case VQEMU_SHUTDOWN_FORCED:
        return "forced";
    case VQEMU_SHUTDOWN_IDLE:
        return "idle";
    default:
        return "gone";
    }
}

static int shut_down(const struct options *options, uint32_t seconds, int32_t *end) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_monitor_ vqemu_monitor *monitor = NULL;
    uint32_t timeout = seconds < INT32_MAX / 1000 ? 1000 * seconds : INT32_MAX;
    int code = open_monitor(options->operand, &monitor, &error);
    if (code == VQEMU_ERR_NOT_RUNNING && strcmp(vqemu_error_reason(error), "ended") == 0)
        return EXIT_SUCCESS; /* just now; *end stays 0 */
    if (!code)
        code = vqemu_monitor_shut_down(monitor, timeout, 0, NULL, end, &error);
    if (code)
        return fail_request(options->command, error);
    if (*end == VQEMU_SHUTDOWN_FORCED && seconds > 0)
        return fail_text("the guest did not switch itself off in %u s, and was ended as by a loss "
                         "of power",
                         (unsigned)seconds);
    return EXIT_SUCCESS;
}

static int stop(const struct options *options) {
    if (!options->operand)
        return fail_usage(options->command, "the socket is missing");
    uint32_t timeout = options->timeout < 0 ? DEFAULT_STOP_TIMEOUT : (uint32_t)options->timeout;
    int32_t end = 0;
    int status = shut_down(options, timeout, &end);
    if (status || !options->json)
        return status;
    json_t *object = json_object();
    json_add_text(object, "socket", options->operand);
    json_add_text(object, "end", end_name(end));
    return print_json(object);
}

const struct command command_stop = {
    .name = "stop",
    .operand = "SOCKET",
    .operands = 1,
    .summary = "shut a VM down in order",
    .description =
        "Shut the VM behind a QMP socket down: press its power button, and wait until the\n"
        "guest has switched itself off. A guest that does not within --timeout is ended as\n"
        "by a loss of power, and the exit status is 1. The socket must be one that no other\n"
        "client holds.\n"
        "With --json: socket, end (powered-off, forced, gone, idle).\n",
    .example = "  volt-qemu stop --timeout 30 /run/volt/web/unit.sock\n",
    .run = stop,
};
