/* SPDX-License-Identifier: MIT */
/* OCI layouts: the input is both the index and an OCI manifest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "transfer/oci-layout.h"
#include "transfer/oci-manifest.h"

#define OBJECTS_MAX 100
#define SIZE_MAX_OF_ALL 1000000

#define PROFILE                                                                                    \
    "{\"name\": \"kvm-linux\", \"created_at\": \"2025-01-31T10:00:00Z\", \"objects\": {}}"
#define MARKER "{\"imageLayoutVersion\": \"1.0.0\"}"
#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* ---- the index ---- */

static bool is_digest(const struct digest *digest) {
    return strlen(digest->hex) == 64 && strspn(digest->hex, "0123456789abcdef") == 64;
}

/* Asked for by a digest, nothing else is given. */
static void check_find(const struct oci_layout *layout, const char *version) {
    struct oci_blob blob;
    vqemu_error *error = NULL;
    if (fuzz_check_result(oci_layout_find(layout, version, &blob, &error), &error) < 0)
        return;
    FUZZ_CHECK(is_digest(&blob.digest), "the digest \"%s\"", blob.digest.hex);
    FUZZ_CHECK(!version || strcmp(version, DIGEST) != 0 ||
                   strcmp(blob.digest.hex, &DIGEST[strlen(OCI_DIGEST_ALGORITHM)]) == 0,
               "%s instead of the digest that was asked for", blob.digest.hex);
}

static void check_index(const uint8_t *data, size_t size) {
    static char path[4096];
    struct vqemu_progress progress = {0};
    struct oci_layout layout;
    vqemu_error *error = NULL;
    fuzz_write("layout/oci-layout", MARKER, strlen(MARKER));
    fuzz_write("layout/blobs/sha256/none", "", 0);
    fuzz_write("layout/index.json", data, size);
    snprintf(path, sizeof path, "%s/layout", fuzz_scratch());
    int r = oci_layout_open(path, false, &progress, &layout, &error);
    FUZZ_CHECK(fuzz_check_result(r, &error) == 0, "a layout that cannot be opened");
    check_find(&layout, NULL);
    check_find(&layout, "latest");
    check_find(&layout, DIGEST);
    oci_layout_close(&layout);
}

/* ---- the manifest ---- */

static int load(const void *text, size_t size, struct oci_manifest *manifest) {
    vqemu_error *error = NULL;
    return fuzz_check_result(
        oci_manifest_load(text, size, "input", OBJECTS_MAX, SIZE_MAX_OF_ALL, manifest, &error),
        &error);
}

static void check_blobs(const struct oci_manifest *manifest) {
    uint64_t total = manifest->config.size;
    struct oci_place place;
    FUZZ_CHECK(is_digest(&manifest->config.digest), "the digest of the config");
    FUZZ_CHECK(manifest->object_count <= OBJECTS_MAX, "%zu objects", manifest->object_count);
    FUZZ_CHECK(manifest->signature_count <= SIGNATURES_MAX, "%zu signatures",
               manifest->signature_count);
    for (size_t i = 0; i < manifest->signature_count; i++)
        total += manifest->signatures[i].size;
    for (size_t i = 0; i < manifest->object_count; i++) {
        const struct oci_blob *object = &manifest->objects[i];
        total += object->size;
        FUZZ_CHECK(is_digest(&object->digest) && object->size > 0, "object %zu", i);
        FUZZ_CHECK(oci_manifest_locate(manifest, &object->digest, &place) && !place.is_packed &&
                       place.offset == 0 && place.size == object->size,
                   "%s is not found", object->digest.hex);
    }
    FUZZ_CHECK((manifest->pack_count > 0) == (manifest->pack_index.size > 0),
               "%zu packs, and an index of %llu bytes", manifest->pack_count,
               (unsigned long long)manifest->pack_index.size);
    total += manifest->pack_index.size;
    for (size_t i = 0; i < manifest->pack_count; i++) {
        total += manifest->packs[i].size;
        FUZZ_CHECK(is_digest(&manifest->packs[i].digest) && manifest->packs[i].size > 0, "pack %zu",
                   i);
    }
    FUZZ_CHECK(total <= SIZE_MAX_OF_ALL, "%llu bytes", (unsigned long long)total);
}

/* What is written of it is read as the same again. */
static void check_again(const struct oci_manifest *manifest, const vqemu_manifest *profile) {
    struct oci_manifest again;
    char *text = NULL, *text_again = NULL;
    FUZZ_CHECK(oci_manifest_to_text(manifest, "kvm-linux-1", profile, &text, NULL) == 0,
               "a manifest that cannot be written");
    FUZZ_CHECK(load(text, strlen(text), &again) == 0, "what was written is not read:\n%s", text);
    FUZZ_CHECK(oci_manifest_to_text(&again, "kvm-linux-1", profile, &text_again, NULL) == 0 &&
                   strcmp(text, text_again) == 0,
               "two texts:\n%s\n%s", text, text_again ? text_again : "");
    free(text_again);
    free(text);
    oci_manifest_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct oci_manifest manifest;
    vqemu_manifest *profile = NULL;
    fuzz_begin(data, size);
    check_index(data, size);
    if (load(data, size, &manifest) < 0)
        return 0;
    FUZZ_CHECK(vqemu_manifest_load_memory(PROFILE, strlen(PROFILE), "profile", 0, NULL, &profile,
                                          NULL) == 0,
               "a profile that cannot be read");
    check_blobs(&manifest);
    check_again(&manifest, profile);
    vqemu_manifest_unref(profile);
    oci_manifest_release(&manifest);
    return 0;
}
