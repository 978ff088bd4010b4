/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "closure.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "option-table.h"
#include "options.h"
#include "progress.h"
#include "registry-reference.h"
#include "remote-options.h"
#include "stored.h"
#include "table.h"
#include "text.h"

static int print_pull(const struct options *options, const vqemu_ingest *ingest) {
    if (options->json) {
        json_t *object = stored_json(ingest);
        json_add(object, "dry_run", json_boolean(options->dry_run));
        return print_json(object);
    }
    const vqemu_revision *revision = vqemu_ingest_revision(ingest);
    _cleanup_free_ char *size = format_size((int64_t)vqemu_ingest_new_bytes(ingest));
    _cleanup_free_ char *travelled =
        format_text("%zu objects, %s", vqemu_ingest_new_object_count(ingest), size);
    print_field("revision", vqemu_revision_name(revision));
    print_field("state",
                vqemu_ingest_is_new(ingest) ? "new" : "unchanged: the store has it already");
    print_used(ingest);
    print_field("digest", vqemu_manifest_digest(vqemu_revision_manifest(revision)));
    print_field("path", vqemu_revision_path(revision));
    print_field(options->dry_run ? "would travel" : "travelled", travelled);
    return EXIT_SUCCESS;
}

/* What is pinned by a digest may be of any profile; else the repository says of which. */
static int pull_into(const struct options *options, const struct registry_reference *reference,
                     const vqemu_remote *remote, vqemu_store *store) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_ingest_options_ vqemu_ingest_options *said = NULL;
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    bool is_pinned = reference->digest || options->digest || options->any_profile;
    const char *version = reference->digest ? reference->digest : reference->tag;
    uint32_t flags = (options->any_profile || reference->digest ? VQEMU_PULL_ANY_PROFILE : 0) |
                     (options->whole ? VQEMU_PULL_WHOLE : 0) |
                     (options->dry_run ? VQEMU_PULL_DRY_RUN : 0);
    int status = ingest_options_from_options(options, &said);
    if (status)
        return status;
    int code = 0;
    if (!options->profile && !is_pinned)
        code = vqemu_ingest_options_set_string(said, VQEMU_INGEST_PROFILE,
                                               registry_reference_profile(reference), &error);
    progress_begin(options);
    if (!code)
        code =
            vqemu_store_pull(store, remote, version, said, flags, options->call, &ingest, &error);
    progress_end();
    if (code)
        return fail(error);
    if (!options->json)
        warn_of_closure(vqemu_ingest_closure(ingest));
    return print_pull(options, ingest);
}

static int pull(const struct options *options) {
    _cleanup_remote_ vqemu_remote *remote = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    if (!options->operand)
        return fail_usage(options->command, "the repository is missing");
    _cleanup_(registry_reference_release) struct registry_reference reference;
    registry_reference_split(options->operand, &reference);
    int status = remote_from_options(options, reference.repository, &remote);
    if (!status)
        status = store_from_options(options, options->dry_run ? 0 : VQEMU_STORE_CREATE, &store);
    return status ? status : pull_into(options, &reference, remote, store);
}

const struct command command_pull = {
    .name = "pull",
    .operand = "HOST[:PORT]/NAME[:TAG|@DIGEST]",
    .operands = 1,
    .option_groups = OPTIONS_PROFILE | OPTIONS_IMPORT | OPTIONS_WHOLE | OPTIONS_KEY | OPTIONS_PULL |
                     OPTIONS_REMOTE,
    .summary = "put what an OCI registry has into the store as a profile",
    .description =
        "Put a revision that an OCI registry has into the store: that of a tag (default\n"
        "latest), or of a digest, \"sha256:...\", of its OCI manifest or of the revision. It\n"
        "must be of the profile that --profile names, or else the last part of NAME; with a\n"
        "digest, or --any-profile, it may be of any. Only what the store lacks travels; what\n"
        "has come before an interruption is kept for the next time. With --key: only what is\n"
        "signed, which is found out before any of its files travels.\n"
        "With --json: as \"volt-qemu ingest\", and dry_run.\n",
    .example = "  volt-qemu pull registry.example/volt/kvm-linux\n"
               "  volt-qemu pull registry.example/volt/kvm-linux:7.2 --key release.pub\n"
               "  volt-qemu pull localhost:5000/volt/kvm-linux --plain-http --dry-run\n",
    .run = pull,
};
