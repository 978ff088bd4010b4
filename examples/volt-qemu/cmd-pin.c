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

typedef int (*change_fn)(vqemu_store *store, const char *revision, const char *holder,
                         uint32_t flags, vqemu_call *call, vqemu_error **error);

static int change(const struct options *options, change_fn function, bool pinned) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the ref is missing");
    if (store_from_options(options, 0, &store))
        return EXIT_FAILURE;
    if (function(store, options->operand, options->holder, 0, options->call, &error))
        return fail_request(options->command, error);
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "ref", options->operand);
        json_add(object, "pinned", json_boolean(pinned));
        return print_json(object);
    }
    printf("%s %s\n", pinned ? "pinned" : "unpinned", options->operand);
    return EXIT_SUCCESS;
}

static int pin(const struct options *options) {
    return change(options, vqemu_store_pin, true);
}

static int unpin(const struct options *options) {
    return change(options, vqemu_store_unpin, false);
}

const struct command command_pin = {
    .name = "pin",
    .operand = "REF",
    .option_groups = OPTIONS_PIN,
    .summary = "keep a version from being collected",
    .description =
        "Keep a ref, its tree and its objects from \"volt-qemu gc\" and \"volt-qemu rm\",\n"
        "until it is unpinned. Each holder has a pin of its own.\n"
        "With --json: ref, pinned.\n",
    .example = "  volt-qemu pin emulate-x86-8e1e73bc\n",
    .run = pin,
};

const struct command command_unpin = {
    .name = "unpin",
    .operand = "REF",
    .option_groups = OPTIONS_PIN,
    .summary = "undo pin",
    .description = "Take back a pin, that of the holder. A ref that nobody pins any more can be\n"
                   "collected. With --json: ref, pinned.\n",
    .example = "  volt-qemu unpin emulate-x86-8e1e73bc\n",
    .run = unpin,
};
