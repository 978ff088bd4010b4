/* SPDX-License-Identifier: MIT */
#include "stored.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "closure.h"
#include "json.h"
#include "message.h"
#include "table.h"
#include "text.h"

int check_new_profile(const struct options *options) {
    bool is_described = options->accel && options->guests;
    if (vqemu_profile_find(options->profile) || is_described)
        return 0;
    return fail_invalid("unknown-profile",
                        "unknown profile '%s'; one of your own needs --accel and --guests",
                        options->profile);
}

json_t *stored_json(const vqemu_ingest *ingest) {
    const vqemu_revision *revision = vqemu_ingest_revision(ingest);
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    json_t *object = json_object();
    json_add_text(object, "revision", vqemu_revision_name(revision));
    json_add_text(object, "ref", vqemu_revision_name(revision));
    json_add_text(object, "profile", vqemu_revision_profile_name(revision));
    json_add_text(object, "path", vqemu_revision_path(revision));
    json_add_text(object, "digest", vqemu_manifest_digest(manifest));
    json_add_count(object, "objects", vqemu_manifest_object_count(manifest));
    json_add_count(object, "binaries", vqemu_manifest_count_below(manifest, "bin"));
    json_add_count(object, "libraries", vqemu_manifest_count_below(manifest, "lib"));
    json_add_count(object, "firmware", vqemu_manifest_count_below(manifest, "firmware"));
    json_add_number(object, "total_bytes", vqemu_manifest_total_bytes(manifest));
    json_add_text(object, "current", vqemu_ingest_current(ingest));
    json_add_text(object, "displaced", vqemu_revision_name(vqemu_ingest_displaced(ingest)));
    json_add(object, "unchanged", json_boolean(!vqemu_ingest_is_new(ingest)));
    json_add_count(object, "new_objects", vqemu_ingest_new_object_count(ingest));
    json_add_number(object, "new_bytes", (int64_t)vqemu_ingest_new_bytes(ingest));
    if (vqemu_ingest_closure(ingest)) {
        json_add(object, "closure", closure_json(vqemu_ingest_closure(ingest)));
        json_add(object, "abilities", closure_abilities_json(vqemu_ingest_closure(ingest)));
    }
    return object;
}

void print_used(const vqemu_ingest *ingest) {
    const char *name = vqemu_revision_name(vqemu_ingest_revision(ingest));
    const char *current = vqemu_ingest_current(ingest);
    const vqemu_revision *displaced = vqemu_ingest_displaced(ingest);
    _cleanup_free_ char *text =
        current && strcmp(current, name) != 0
            ? format_text(
                  "not this one: %s is newer or was set; volt-qemu current %s uses this one",
                  current, name)
        : displaced ? format_text("this one, instead of %s, which was created at %s",
                                  vqemu_revision_name(displaced),
                                  vqemu_manifest_string(vqemu_revision_manifest(displaced),
                                                        VQEMU_MANIFEST_CREATED_AT))
                    : NULL;
    if (text)
        print_field("used", text);
}

static void print_text(const vqemu_ingest *ingest) {
    const vqemu_revision *revision = vqemu_ingest_revision(ingest);
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    _cleanup_free_ char *size = format_size(vqemu_manifest_total_bytes(manifest));
    _cleanup_free_ char *new_size = format_size((int64_t)vqemu_ingest_new_bytes(ingest));
    _cleanup_free_ char *files = format_text(
        "%zu (bin %zu, lib %zu, firmware %zu)", vqemu_manifest_object_count(manifest),
        vqemu_manifest_count_below(manifest, "bin"), vqemu_manifest_count_below(manifest, "lib"),
        vqemu_manifest_count_below(manifest, "firmware"));
    _cleanup_free_ char *added =
        format_text("%zu objects, %s", vqemu_ingest_new_object_count(ingest), new_size);
    print_field("revision", vqemu_revision_name(revision));
    print_field("state",
                vqemu_ingest_is_new(ingest) ? "new" : "unchanged: the store has it already");
    print_used(ingest);
    print_field("digest", vqemu_manifest_digest(manifest));
    print_field("path", vqemu_revision_path(revision));
    print_field("files", files);
    print_field("size", size);
    print_field("added", added);
}

int print_stored(const struct options *options, const vqemu_ingest *ingest) {
    if (options->json)
        return print_json(stored_json(ingest));
    print_text(ingest);
    return EXIT_SUCCESS;
}
