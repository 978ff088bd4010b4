/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "commands.h"
#include "json.h"
#include "options.h"

static int version(const struct options *options) {
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "version", vqemu_version());
        json_add_text(object, "program_version", VQEMU_VERSION_STRING);
        return print_json(object);
    }
    printf("volt-qemu %s (libvoltqemu %s)\n", VQEMU_VERSION_STRING, vqemu_version());
    return EXIT_SUCCESS;
}

const struct command command_version = {
    .name = "version",
    .summary = "print the version",
    .description = "Print the version of this program and of the library it runs with.\n"
                   "With --json: version (the library's), program_version.\n",
    .example = "  volt-qemu version\n",
    .run = version,
};
