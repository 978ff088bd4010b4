/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "message.h"
#include "options.h"

static int schema(const struct options *options) {
    const char *what = options->operand ? options->operand : "vm";
    bool is_policy = strcmp(what, "policy") == 0;
    if (!is_policy && strcmp(what, "vm") != 0)
        return fail_usage(options->command, "there is a schema of vm and of policy, not of '%s'",
                          what);
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vqemu_free_ char *text = NULL;
    if (is_policy ? vqemu_policy_schema(0, &text, &error) : vqemu_vm_schema(0, &text, &error))
        return fail(error);
    fputs(text, stdout);
    return EXIT_SUCCESS;
}

const struct command command_schema = {
    .name = "schema",
    .operand = "[vm|policy]",
    .operands = 1,
    .summary = "print the JSON Schema of a VM's description, or of a policy",
    .description =
        "Print the JSON Schema of the files that --vm reads, or those of --policy: every\n"
        "key, what it means, and what it can be. It is JSON with and without --json.\n",
    .example = "  volt-qemu schema >vm.schema.json\n"
               "  volt-qemu schema policy >policy.schema.json\n",
    .run = schema,
};
