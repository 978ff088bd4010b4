/* SPDX-License-Identifier: MIT */
#include "transfer/pack-choice.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define LAYER_SIZE ((uint64_t)256 * 1024) /* from which on an object is worth a layer */
#define PACK_SIZE ((uint64_t)4 * 1024 * 1024)
#define PACK_BITS_MAX 7u

/* ---- which objects stay layers ---- */

static int compare_sizes(const void *a, const void *b) {
    const struct oci_blob *const *x = a, *const *y = b;
    if ((*x)->size != (*y)->size)
        return (*x)->size > (*y)->size ? -1 : 1;
    return strcmp((*x)->digest.hex, (*y)->digest.hex);
}

/* The objects by size, the largest first; NULL without memory. */
static const struct oci_blob **list_by_size(const struct oci_manifest *manifest) {
    size_t count = manifest->object_count;
    const struct oci_blob **list = calloc(count + 1, sizeof(struct oci_blob *));
    for (size_t i = 0; list && i < count; i++)
        list[i] = &manifest->objects[i];
    if (list)
        qsort(list, count, sizeof(struct oci_blob *), compare_sizes);
    return list;
}

/* is_layer: for each object. Returns how many there are; -1 without memory. */
static int64_t choose_layers(const struct oci_manifest *manifest, size_t most, bool *is_layer) {
    _cleanup_free_ const struct oci_blob **list = list_by_size(manifest);
    int64_t count = 0;
    if (!list)
        return -1;
    for (size_t i = 0; i < manifest->object_count && i < most && list[i]->size > LAYER_SIZE; i++) {
        is_layer[list[i] - manifest->objects] = true;
        count++;
    }
    return count;
}

/* ---- into which packs the others go ---- */

static unsigned digit_value(char digit) {
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a') + 10;
}

static unsigned first_bits(const struct digest *digest, unsigned bits) {
    unsigned byte = digit_value(digest->hex[0]) << 4 | digit_value(digest->hex[1]);
    return byte >> (8 - bits);
}

/* How many bits tell the packs apart, of which there may be pack_max. */
static unsigned choose_bits(uint64_t size, size_t pack_max) {
    unsigned bits = 0;
    while (bits < PACK_BITS_MAX && (size_t)2 << bits <= pack_max && size >> bits > PACK_SIZE)
        bits++;
    return bits;
}

static uint64_t size_of_others(const struct oci_manifest *manifest, const bool *is_layer) {
    uint64_t size = 0;
    for (size_t i = 0; i < manifest->object_count; i++)
        size += is_layer[i] ? 0 : manifest->objects[i].size;
    return size;
}

static void add_to_pack(struct pack_index *index, const struct oci_blob *object) {
    struct oci_blob *pack = &index->packs[index->pack_count - 1];
    index->objects[index->object_count++] =
        (struct packed_object){object->digest, pack->size, object->size, index->pack_count - 1};
    pack->size += object->size;
}

/* In the order of their digests, so that those of a pack are neighbours. */
static void move_others(struct oci_manifest *manifest, const bool *is_layer, unsigned bits) {
    struct pack_index *index = &manifest->packed;
    unsigned last = UINT32_MAX;
    size_t kept = 0;
    for (size_t i = 0; i < manifest->object_count; i++) {
        const struct oci_blob *object = &manifest->objects[i];
        if (is_layer[i]) {
            manifest->objects[kept++] = *object;
            continue;
        }
        unsigned pack = first_bits(&object->digest, bits);
        index->pack_count += pack != last;
        last = pack;
        add_to_pack(index, object);
    }
    manifest->object_count = kept;
}

/* ---- the whole ---- */

static int refuse(size_t needed, size_t layer_max, const char *revision, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%s needs at least %zu layers of an OCI manifest, more than the %zu that are "
                      "allowed",
                      revision, needed, layer_max);
    return error_because(r, error, "too-many-layers", VQEMU_DETAIL_REVISION, revision, NULL);
}

static int allocate(struct oci_manifest *manifest, vqemu_error **error) {
    struct pack_index *index = &manifest->packed;
    index->packs = calloc((size_t)1 << PACK_BITS_MAX, sizeof *index->packs);
    index->objects = calloc(manifest->object_count, sizeof *index->objects);
    return index->packs && index->objects ? 0 : error_no_memory(error);
}

int pack_choose(struct oci_manifest *manifest, size_t layer_max, const char *revision,
                vqemu_error **error) {
    size_t signatures = manifest->signature_count, needed = manifest->object_count + signatures;
    if (needed <= layer_max)
        return 0;
    if (needed > signatures + 2) /* the index, and a pack of all */
        needed = signatures + 2;
    if (needed > layer_max)
        return refuse(needed, layer_max, revision, error);
    size_t room = layer_max - signatures - 1, half = layer_max / 2;
    _cleanup_free_ bool *is_layer = calloc(manifest->object_count, sizeof *is_layer);
    int r = allocate(manifest, error);
    int64_t layers =
        r == 0 && is_layer ? choose_layers(manifest, half < room ? half : room - 1, is_layer) : -1;
    if (layers < 0)
        return r < 0 ? r : error_no_memory(error);
    move_others(manifest, is_layer,
                choose_bits(size_of_others(manifest, is_layer), room - (size_t)layers));
    return 0;
}
