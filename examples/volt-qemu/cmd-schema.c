/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "message.h"
#include "options.h"

static int schema(const struct options *options) {
    (void)options;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vqemu_free_ char *text = NULL;
    if (vqemu_vm_schema(0, &text, &error))
        return fail(error);
    fputs(text, stdout);
    return EXIT_SUCCESS;
}

const struct command command_schema = {
    .name = "schema",
    .summary = "print the JSON Schema of a VM's description",
    .description = "Print the JSON Schema of the files that --vm reads: every key, what it means,\n"
                   "and what it can be. It is JSON with and without --json.\n",
    .example = "  volt-qemu schema >vm.schema.json\n",
    .run = schema,
};
