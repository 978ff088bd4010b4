/* SPDX-License-Identifier: MIT */
/* The index of packs. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "transfer/oci-manifest.h"

#define OBJECTS_MAX 100

static int load(const void *text, size_t size, struct pack_index *index) {
    vqemu_error *error = NULL;
    return fuzz_check_result(pack_index_load(text, size, "input", OBJECTS_MAX, index, &error),
                             &error);
}

/* Each byte of a pack is of one object. */
static void check_objects(const struct pack_index *index) {
    uint64_t left = 0;
    size_t pack = 0;
    FUZZ_CHECK(index->pack_count <= PACK_COUNT_MAX && index->object_count <= OBJECTS_MAX,
               "%zu packs, %zu objects", index->pack_count, index->object_count);
    for (size_t i = 0; i < index->object_count; i++) {
        const struct packed_object *object = &index->objects[i];
        FUZZ_CHECK(pack_index_find(index, &object->digest) == object, "%s is not found",
                   object->digest.hex);
        if (left == 0)
            left = index->packs[pack++].size;
        FUZZ_CHECK(object->pack == pack - 1 && object->size > 0 && object->size <= left &&
                       object->offset == index->packs[pack - 1].size - left,
                   "object %zu is elsewhere", i);
        left -= object->size;
    }
    FUZZ_CHECK(left == 0 && pack == index->pack_count, "%zu packs of %zu have objects", pack,
               index->pack_count);
}

static void check_again(const struct pack_index *index, const uint8_t *data, size_t size) {
    char *text = pack_index_to_text(index);
    FUZZ_CHECK(text && strlen(text) == size && memcmp(text, data, size) == 0, "another text:\n%s",
               text ? text : "");
    FUZZ_CHECK(size <= pack_index_text_limit(OBJECTS_MAX), "%zu bytes are more than the limit",
               size);
    free(text);
}

/* With a manifest that has just these packs, and one that lacks the last of them. */
static void check_manifest(const struct pack_index *index, const char *text, size_t size) {
    for (size_t missing = 0; missing < 2 && missing <= index->pack_count; missing++) {
        vqemu_error *error = NULL;
        struct oci_manifest manifest = {.packs =
                                            calloc(index->pack_count + 1, sizeof *manifest.packs),
                                        .pack_count = index->pack_count - missing,
                                        .pack_index.size = size};
        FUZZ_CHECK(manifest.packs, "no memory");
        memcpy(manifest.packs, index->packs, manifest.pack_count * sizeof *manifest.packs);
        oci_blobs_sort(manifest.packs, manifest.pack_count);
        int r = fuzz_check_result(
            oci_manifest_load_packs(&manifest, text, "input", OBJECTS_MAX, &error), &error);
        FUZZ_CHECK((r == 0) == (missing == 0), "%d with %zu packs missing", r, missing);
        for (size_t i = 0; r == 0 && i < index->object_count; i++) {
            const struct packed_object *object = &index->objects[i];
            struct oci_place place;
            FUZZ_CHECK(oci_manifest_locate(&manifest, &object->digest, &place) && place.is_packed &&
                           place.offset + place.size <= place.blob.size,
                       "%s is not found", object->digest.hex);
        }
        oci_manifest_release(&manifest);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pack_index index;
    fuzz_begin(data, size);
    if (load(data, size, &index) < 0)
        return 0;
    char *text = fuzz_text(data, size);
    check_objects(&index);
    check_again(&index, data, size);
    check_manifest(&index, text, size);
    free(text);
    pack_index_release(&index);
    return 0;
}
