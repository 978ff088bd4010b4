/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "progress.h"
#include "remote-options.h"

static int print_tags(const struct options *options, const vqemu_tag_list *list) {
    if (!options->json) {
        for (size_t i = 0; i < vqemu_tag_list_count(list); i++)
            puts(vqemu_tag_list_at(list, i));
        return EXIT_SUCCESS;
    }
    json_t *object = json_object(), *tags = json_array();
    for (size_t i = 0; i < vqemu_tag_list_count(list); i++)
        json_append_text(tags, vqemu_tag_list_at(list, i));
    json_add_text(object, "repository", options->operand);
    json_add(object, "tags", tags);
    return print_json(object);
}

static int list_tags(const struct options *options, const vqemu_remote *remote) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_tag_list_ vqemu_tag_list *list = NULL;
    progress_begin(options);
    int code = vqemu_remote_list_tags(remote, 0, options->call, &list, &error);
    progress_end();
    return code ? fail(error) : print_tags(options, list);
}

static int delete_tag(const struct options *options, const vqemu_remote *remote) {
    _cleanup_error_ vqemu_error *error = NULL;
    progress_begin(options);
    int code = vqemu_remote_delete(remote, options->deleted, 0, options->call, &error);
    progress_end();
    if (code)
        return fail(error);
    if (!options->json)
        return EXIT_SUCCESS;
    json_t *object = json_object();
    json_add_text(object, "repository", options->operand);
    json_add_text(object, "deleted", options->deleted);
    return print_json(object);
}

static int tags(const struct options *options) {
    _cleanup_remote_ vqemu_remote *remote = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the repository is missing");
    int status = remote_from_options(options, options->operand, &remote);
    if (status)
        return status;
    return options->deleted ? delete_tag(options, remote) : list_tags(options, remote);
}

const struct command command_tags = {
    .name = "tags",
    .operand = "HOST[:PORT]/NAME",
    .operands = 1,
    .option_groups = OPTIONS_TAGS | OPTIONS_REMOTE,
    .summary = "list the tags of a repository of a registry",
    .description =
        "List the tags that a repository of an OCI registry has. Logins, certificates and\n"
        "proxies are looked for where podman, skopeo and docker have them. With --delete: the\n"
        "registry forgets what a tag names, with all tags that name the same.\n"
        "With --json: repository, tags (an array); with --delete: repository, deleted.\n",
    .example = "  volt-qemu tags registry.example/volt/kvm-linux\n"
               "  volt-qemu tags localhost:5000/volt/kvm-linux --plain-http\n",
    .run = tags,
};
