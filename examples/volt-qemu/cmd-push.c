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
#include "progress.h"
#include "registry-reference.h"
#include "remote-options.h"
#include "revision-name.h"
#include "table.h"
#include "text.h"

static int print_push(const struct options *options, const vqemu_revision *revision,
                      const vqemu_push *push) {
    const char *name = vqemu_revision_name(revision), *digest = vqemu_push_digest(push);
    if (options->json) {
        json_t *object = json_object();
        json_add_text(object, "revision", name);
        json_add_text(object, "digest", digest);
        json_add(object, "unchanged", json_boolean(!vqemu_push_is_new(push)));
        json_add_count(object, "blobs", vqemu_push_blob_count(push));
        json_add_number(object, "total_bytes", (int64_t)vqemu_push_bytes(push));
        json_add_count(object, "new_blobs", vqemu_push_new_blob_count(push));
        json_add_number(object, "new_bytes", (int64_t)vqemu_push_new_bytes(push));
        json_add(object, "dry_run", json_boolean(options->dry_run));
        return print_json(object);
    }
    _cleanup_free_ char *size = format_size((int64_t)vqemu_push_new_bytes(push));
    _cleanup_free_ char *travelled = format_text(
        "%zu of %zu blobs, %s", vqemu_push_new_blob_count(push), vqemu_push_blob_count(push), size);
    print_field("revision", name);
    print_field("state", vqemu_push_is_new(push) ? "new" : "unchanged: the tag names it already");
    print_field("digest", digest);
    print_field(options->dry_run ? "would travel" : "travelled", travelled);
    return EXIT_SUCCESS;
}

static int push_to(const struct options *options, const struct registry_reference *reference,
                   vqemu_store *store, const vqemu_revision *revision) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_remote_ vqemu_remote *remote = NULL;
    _cleanup_push_ vqemu_push *push = NULL;
    uint32_t flags =
        (options->force ? VQEMU_PUSH_FORCE : 0) | (options->dry_run ? VQEMU_PUSH_DRY_RUN : 0);
    int status = remote_from_options(options, reference->repository, &remote);
    if (status)
        return status;
    int code =
        vqemu_remote_set_string(remote, VQEMU_REMOTE_MOUNT_FROM, options->mount_from, &error);
    if (code)
        return fail(error);
    progress_begin(options);
    code = vqemu_store_push(store, revision, remote, reference->tag, flags, options->call, &push,
                            &error);
    progress_end();
    return code ? fail(error) : print_push(options, revision, push);
}

static int push(const struct options *options) {
    _cleanup_store_ vqemu_store *store = NULL;
    _cleanup_revision_ vqemu_revision *revision = NULL;
    if (options->operand_count < 2)
        return fail_usage(options->command, "a revision or profile and a repository are wanted");
    _cleanup_(registry_reference_release) struct registry_reference reference;
    registry_reference_split(options->operands[1], &reference);
    if (reference.digest)
        return fail_usage(options->command,
                          "what is pushed has the digest that it has: give a tag");
    int status = store_from_options(options, 0, &store);
    if (!status)
        status = find_revision_of(options, store, options->operand, &revision);
    return status ? status : push_to(options, &reference, store, revision);
}

const struct command command_push = {
    .name = "push",
    .operand = "REVISION|PROFILE HOST[:PORT]/NAME[:TAG]",
    .operands = 2,
    .option_groups = OPTIONS_PUSH | OPTIONS_REMOTE,
    .summary = "put a revision of a profile into an OCI registry",
    .description =
        "Put a revision, or the one that is used of a profile, with its signatures into a\n"
        "repository of an OCI registry, under a tag (default latest) and under its own name.\n"
        "Only what the repository lacks travels; where another repository of the registry\n"
        "may have it, --mount-from names that.\n"
        "With --json: revision, digest (of the OCI manifest), unchanged, blobs, total_bytes,\n"
        "new_blobs, new_bytes (which travelled), dry_run.\n",
    .example = "  volt-qemu push kvm-linux registry.example/volt/kvm-linux\n"
               "  volt-qemu push kvm-linux-8e1e73bc registry.example/volt/kvm-linux:7.2\n"
               "  volt-qemu push kvm-windows registry.example/volt/kvm-windows \\\n"
               "      --mount-from volt/kvm-linux\n",
    .run = push,
};
