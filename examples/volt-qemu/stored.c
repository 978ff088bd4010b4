/* SPDX-License-Identifier: MIT */
#include "stored.h"

#include <stdlib.h>

#include "cleanup.h"
#include "json.h"
#include "table.h"
#include "text.h"

static json_t *stored_json(const vqemu_revision *ref, bool unchanged) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(ref);
    json_t *object = json_object();
    json_add_text(object, "ref", vqemu_revision_name(ref));
    json_add_text(object, "profile", vqemu_revision_profile(ref));
    json_add_text(object, "path", vqemu_revision_path(ref));
    json_add_text(object, "digest", vqemu_manifest_digest(manifest));
    json_add_count(object, "objects", vqemu_manifest_object_count(manifest));
    json_add_count(object, "binaries", vqemu_manifest_binary_count(manifest));
    json_add_count(object, "libraries", vqemu_manifest_library_count(manifest));
    json_add_count(object, "firmware", vqemu_manifest_firmware_count(manifest));
    json_add_number(object, "total_bytes", vqemu_manifest_total_bytes(manifest));
    json_add(object, "unchanged", json_boolean(unchanged));
    return object;
}

static void print_text(const vqemu_revision *ref, bool unchanged) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(ref);
    _cleanup_free_ char *size = format_size(vqemu_manifest_total_bytes(manifest));
    _cleanup_free_ char *files =
        format_text("%zu (bin %zu, lib %zu, firmware %zu)", vqemu_manifest_object_count(manifest),
                    vqemu_manifest_binary_count(manifest), vqemu_manifest_library_count(manifest),
                    vqemu_manifest_firmware_count(manifest));
    print_field("ref", vqemu_revision_name(ref));
    print_field("state", unchanged ? "unchanged: the store has it already" : "new");
    print_field("digest", vqemu_manifest_digest(manifest));
    print_field("path", vqemu_revision_path(ref));
    print_field("files", files);
    print_field("size", size);
}

int print_stored(const struct options *options, const vqemu_ingest *ingest) {
    const vqemu_revision *ref = vqemu_ingest_revision(ingest);
    bool unchanged = !vqemu_ingest_is_new(ingest);
    if (options->json)
        return print_json(stored_json(ref, unchanged));
    print_text(ref, unchanged);
    return EXIT_SUCCESS;
}
