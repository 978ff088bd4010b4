/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <string.h>

#include "message.h"
#include "suggest.h"

const struct command *const commands[] = {
    &command_profiles,
    &command_select,
    &command_ingest,
    &command_import,
    &command_export,
    &command_copy,
    &command_pull,
    &command_push,
    &command_tags,
    &command_revisions,
    &command_show,
    &command_current,
    &command_pin,
    &command_unpin,
    &command_pins,
    &command_signature,
    &command_signatures,
    &command_uses,
    &command_rm,
    &command_verify,
    &command_gc,
    &command_resolve,
    &command_capabilities,
    &command_args,
    &command_env,
    &command_schema,
    &command_diff,
    &command_complete,
    &command_unit,
    &command_prepare,
    &command_run,
    &command_stop,
    &command_version,
    &command_help,
    NULL,
};

static const struct {
    const char *old;
    const struct command *command;
} old_names[] = {
    {"build", &command_ingest},
    {"refs", &command_revisions},
};

const struct command *command_find(const char *name) {
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    for (size_t i = 0; i < sizeof old_names / sizeof *old_names; i++)
        if (strcmp(old_names[i].old, name) == 0)
            return old_names[i].command;
    return NULL;
}

int command_unknown(const char *name) {
    struct suggestion suggestion = {.word = name};
    for (size_t i = 0; commands[i]; i++)
        suggestion_consider(&suggestion, commands[i]->name);
    return fail_usage(NULL, "unknown command '%s'%s%s", name,
                      suggestion.best ? "; perhaps it is " : "",
                      suggestion.best ? suggestion.best : "");
}
