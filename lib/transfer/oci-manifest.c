/* SPDX-License-Identifier: MIT */
#include "transfer/oci-manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "util/word.h"

void oci_manifest_release(struct oci_manifest *manifest) {
    free(manifest->signatures);
    free(manifest->objects);
    free(manifest->packs);
    pack_index_release(&manifest->packed);
    *manifest = (struct oci_manifest){0};
}

bool oci_manifest_locate(const struct oci_manifest *manifest, const struct digest *digest,
                         struct oci_place *place) {
    const struct oci_blob *own = oci_blobs_find(manifest->objects, manifest->object_count, digest);
    const struct packed_object *packed = pack_index_find(&manifest->packed, digest);
    if (own)
        *place = (struct oci_place){.blob = *own, .size = own->size};
    else if (packed)
        *place = (struct oci_place){.blob = manifest->packed.packs[packed->pack],
                                    .is_packed = true,
                                    .offset = packed->offset,
                                    .size = packed->size};
    return own || packed;
}

/* ---- writing ---- */

json_t *oci_descriptor_to_json(const char *type, const struct oci_blob *blob) {
    char digest[OCI_DIGEST_SIZE];
    oci_digest_to_text(&blob->digest, digest);
    return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest, "size",
                     (json_int_t)blob->size);
}

static bool add_layers(json_t *layers, const char *type, const struct oci_blob *blobs,
                       size_t count) {
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = blobs[i].size == 0 ||
             json_array_append_new(layers, oci_descriptor_to_json(type, &blobs[i])) == 0;
    return ok;
}

static json_t *layers_json(const struct oci_manifest *manifest) {
    json_t *layers = json_array();
    if (add_layers(layers, OCI_SIGNATURE_TYPE, manifest->signatures, manifest->signature_count) &&
        add_layers(layers, OCI_OBJECT_TYPE, manifest->objects, manifest->object_count) &&
        add_layers(layers, OCI_PACK_INDEX_TYPE, &manifest->pack_index, 1) &&
        add_layers(layers, OCI_PACK_TYPE, manifest->packs, manifest->pack_count))
        return layers;
    json_decref(layers);
    return NULL;
}

/* Those of image-spec, annotations.md. */
static json_t *annotations_json(const char *revision, const vqemu_manifest *profile) {
    const char *version = vqemu_manifest_string(profile, VQEMU_MANIFEST_QEMU_VERSION);
    json_t *annotations = json_pack("{s:s, s:s}", "org.opencontainers.image.created",
                                    vqemu_manifest_string(profile, VQEMU_MANIFEST_CREATED_AT),
                                    "org.opencontainers.image.title", revision);
    if (!version || json_object_set_new(annotations, "org.opencontainers.image.version",
                                        json_string(version)) == 0)
        return annotations;
    json_decref(annotations);
    return NULL;
}

int oci_manifest_to_text(const struct oci_manifest *manifest, const char *revision,
                         const vqemu_manifest *profile, char **text, vqemu_error **error) {
    _cleanup_json_ json_t *root =
        json_pack("{s:i, s:s, s:s, s:o, s:o, s:o}", "schemaVersion", 2, "mediaType",
                  OCI_MANIFEST_TYPE, "artifactType", OCI_PROFILE_TYPE, "config",
                  oci_descriptor_to_json(OCI_CONFIG_TYPE, &manifest->config), "layers",
                  layers_json(manifest), "annotations", annotations_json(revision, profile));
    int r = root ? json_to_line(root, text, error) : error_no_memory(error);
    if (r < 0 || strlen(*text) <= OCI_MANIFEST_MAX)
        return r;
    free(*text);
    *text = NULL;
    r = error_set(error, VQEMU_ERR_INVALID, 0,
                  "%s has too many files for an OCI layout, whose manifests have up to %zu bytes",
                  revision, OCI_MANIFEST_MAX);
    return error_because(r, error, "layout-too-large", VQEMU_DETAIL_REVISION, revision, NULL);
}

/* ---- reading ---- */

#define TWICE "two layers have the same digest"

struct loading {
    const char *source;
    size_t object_max;
    uint64_t size_max, size; /* of all blobs */
    struct oci_manifest *manifest;
    vqemu_error **error;
};

static int malformed(const struct loading *loading, const char *key, const char *fault) {
    int r = error_set(loading->error, VQEMU_ERR_MALFORMED, 0, "%s: %s: %s", loading->source, key,
                      fault);
    return error_because(r, loading->error, NULL, VQEMU_DETAIL_KEY, key, NULL);
}

int oci_descriptor_load(const json_t *descriptor, const char *source, const char *name,
                        struct oci_blob *blob, vqemu_error **error) {
    const struct loading loading = {.source = source, .error = error};
    const json_t *size = json_object_get(descriptor, "size");
    const char *digest = json_text(descriptor, "digest");
    if (!json_is_object(descriptor) || !*json_text(descriptor, "mediaType"))
        return malformed(&loading, name, "it is no descriptor with a mediaType");
    if (!oci_digest_of_text(digest, &blob->digest))
        return malformed(&loading, name,
                         "its digest is not \"sha256:\" and 64 lowercase hex digits");
    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return malformed(&loading, name, "its size is not an integer of 0 or more");
    blob->size = (uint64_t)json_integer_value(size);
    return 0;
}

/* What came instead of a profile. */
static int refuse_other(const struct loading *loading, const char *what, const char *type) {
    int r =
        error_set(loading->error, VQEMU_ERR_UNSUPPORTED, 0, "%s is %s, and not a profile: %.200s",
                  loading->source, what, *type ? type : "it has no type");
    return error_because(r, loading->error, "not-a-profile", VQEMU_DETAIL_VALUE, type, NULL);
}

/* Older writers have no artifactType: then the config's type is it. */
static int check_types(const struct loading *loading, const json_t *root) {
    const char *media = json_text(root, "mediaType"), *artifact = json_text(root, "artifactType");
    const char *config = json_text(json_object_get(root, "config"), "mediaType");
    if (strcmp(media, OCI_INDEX_TYPE) == 0 || json_is_array(json_object_get(root, "manifests")))
        return refuse_other(loading, "an index of several manifests", OCI_INDEX_TYPE);
    if (json_integer_value(json_object_get(root, "schemaVersion")) != 2)
        return malformed(loading, "schemaVersion", "it is not 2");
    if (*media && strcmp(media, OCI_MANIFEST_TYPE) != 0)
        return refuse_other(loading, "a manifest of another kind", media);
    if (begins_with(config, "application/vnd.oci.image.config."))
        return refuse_other(loading, "a container image", config);
    if (strcmp(config, OCI_CONFIG_TYPE) != 0)
        return refuse_other(loading, "an artifact of another kind", *artifact ? artifact : config);
    if (*artifact && strcmp(artifact, OCI_PROFILE_TYPE) != 0)
        return refuse_other(loading, "an artifact of another kind", artifact);
    return 0;
}

static int add_size(struct loading *loading, const char *name, uint64_t size) {
    if (size <= loading->size_max && loading->size <= loading->size_max - size) {
        loading->size += size;
        return 0;
    }
    int r = error_set(loading->error, VQEMU_ERR_INVALID, 0,
                      "%s is too large: with %s, its blobs have more than the %llu bytes that are "
                      "allowed",
                      loading->source, name, (unsigned long long)loading->size_max);
    return error_because(r, loading->error, "too-large", VQEMU_DETAIL_PATH, loading->source, NULL);
}

static int load_config(struct loading *loading, const json_t *root) {
    struct oci_blob *config = &loading->manifest->config;
    int r = oci_descriptor_load(json_object_get(root, "config"), loading->source, "config", config,
                                loading->error);
    return r == 0 ? add_size(loading, "config", config->size) : r;
}

static int load_signature(struct loading *loading, const struct oci_blob *blob, const char *name) {
    struct oci_manifest *manifest = loading->manifest;
    if (manifest->object_count + manifest->pack_count + manifest->pack_index.size > 0)
        return malformed(loading, name, "a signature comes behind objects");
    if (manifest->signature_count == SIGNATURES_MAX)
        return malformed(loading, name, "there are more than 16 signatures");
    if (blob->size == 0 || blob->size > SIGNATURE_SIZE_MAX)
        return malformed(loading, name, "a signature has from 1 to 4096 bytes");
    for (size_t i = 0; i < manifest->signature_count; i++)
        if (digest_equal(&manifest->signatures[i].digest, &blob->digest))
            return malformed(loading, name, TWICE);
    manifest->signatures[manifest->signature_count++] = *blob;
    return 0;
}

static int refuse_count(const struct loading *loading) {
    int r = error_set(loading->error, VQEMU_ERR_INVALID, 0,
                      "%s has more than the %zu objects that are allowed", loading->source,
                      loading->object_max);
    return error_because(r, loading->error, "too-many-files", VQEMU_DETAIL_PATH, loading->source,
                         NULL);
}

static int load_object(struct loading *loading, const struct oci_blob *blob, const char *name) {
    if (blob->size == 0)
        return malformed(loading, name, "what is empty has no layer");
    if (loading->manifest->object_count == loading->object_max)
        return refuse_count(loading);
    loading->manifest->objects[loading->manifest->object_count++] = *blob;
    return 0;
}

/* One that is too large tells of too many objects. */
static int load_pack_index(struct loading *loading, const struct oci_blob *blob, const char *name) {
    if (loading->manifest->pack_index.size > 0)
        return malformed(loading, name, "there is another index of packs before it");
    if (blob->size == 0)
        return malformed(loading, name, "an index of packs is not empty");
    if (blob->size > pack_index_text_limit(loading->object_max))
        return refuse_count(loading);
    loading->manifest->pack_index = *blob;
    return 0;
}

static int load_pack(struct loading *loading, const struct oci_blob *blob, const char *name) {
    struct oci_manifest *manifest = loading->manifest;
    if (blob->size == 0)
        return malformed(loading, name, "a pack is not empty");
    if (manifest->pack_count == PACK_COUNT_MAX)
        return malformed(loading, name, "there are more than 256 packs");
    manifest->packs[manifest->pack_count++] = *blob;
    return 0;
}

typedef int (*load_fn)(struct loading *loading, const struct oci_blob *blob, const char *name);

static int load_layer(struct loading *loading, const json_t *layer, const char *name) {
    static const struct {
        const char *type;
        load_fn load;
    } kinds[] = {{OCI_OBJECT_TYPE, load_object},
                 {OCI_SIGNATURE_TYPE, load_signature},
                 {OCI_PACK_INDEX_TYPE, load_pack_index},
                 {OCI_PACK_TYPE, load_pack}};
    const char *type = json_text(layer, "mediaType");
    struct oci_blob blob;
    int r = oci_descriptor_load(layer, loading->source, name, &blob, loading->error);
    if (r == 0)
        r = add_size(loading, name, blob.size);
    if (r < 0)
        return r;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].load(loading, &blob, name);
    r = error_set(loading->error, VQEMU_ERR_UNSUPPORTED, 0,
                  "%s: %s is of the type %.200s, which this version does not know; a newer one may",
                  loading->source, name, type);
    return error_because(r, loading->error, "unknown-layer", VQEMU_DETAIL_KEY, name,
                         VQEMU_DETAIL_VALUE, type, NULL);
}

static int load_layers(struct loading *loading, const json_t *root) {
    const json_t *layers = json_object_get(root, "layers"), *layer;
    struct oci_manifest *manifest = loading->manifest;
    size_t index, count = json_array_size(layers);
    if (!json_is_array(layers))
        return malformed(loading, "layers", "it is not an array");
    manifest->signatures = calloc(SIGNATURES_MAX, sizeof *manifest->signatures);
    manifest->objects = calloc(count + 1, sizeof *manifest->objects);
    manifest->packs = calloc(PACK_COUNT_MAX, sizeof *manifest->packs);
    if (!manifest->signatures || !manifest->objects || !manifest->packs)
        return error_no_memory(loading->error);
    json_array_foreach(layers, index, layer) {
        char name[40];
        snprintf(name, sizeof name, "layers[%zu]", index);
        int r = load_layer(loading, layer, name);
        if (r < 0)
            return r;
    }
    return 0;
}

static int sort_blobs(const struct loading *loading, struct oci_blob *blobs, size_t count) {
    oci_blobs_sort(blobs, count);
    for (size_t i = 1; i < count; i++)
        if (digest_equal(&blobs[i - 1].digest, &blobs[i].digest))
            return malformed(loading, "layers", TWICE);
    return 0;
}

static int sort_layers(const struct loading *loading) {
    const struct oci_manifest *manifest = loading->manifest;
    if ((manifest->pack_count > 0) != (manifest->pack_index.size > 0))
        return malformed(loading, "layers", "of packs and an index of them, one is missing");
    int r = sort_blobs(loading, manifest->objects, manifest->object_count);
    return r == 0 ? sort_blobs(loading, manifest->packs, manifest->pack_count) : r;
}

static int load(struct loading *loading, const json_t *root) {
    int r = check_types(loading, root);
    if (r == 0)
        r = load_config(loading, root);
    if (r == 0)
        r = load_layers(loading, root);
    return r == 0 ? sort_layers(loading) : r;
}

int oci_manifest_load(const char *text, size_t size, const char *source, size_t object_max,
                      uint64_t size_max, struct oci_manifest *manifest, vqemu_error **error) {
    *manifest = (struct oci_manifest){0};
    struct loading loading = {.source = source,
                              .object_max = object_max,
                              .size_max = size_max,
                              .manifest = manifest,
                              .error = error};
    _cleanup_json_ json_t *root = NULL;
    int r = size > OCI_MANIFEST_MAX
                ? error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: larger than %zu bytes", source,
                            OCI_MANIFEST_MAX)
                : json_parse_object(text, size, source, &root, error);
    if (r == 0)
        r = load(&loading, root);
    if (r < 0)
        oci_manifest_release(manifest);
    return r;
}

/* ---- packs ---- */

static int refuse_packs(const char *source, const struct digest *digest, const char *fault,
                        vqemu_error **error) {
    return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: sha256:%s %s", source, digest->hex, fault);
}

/* Neither the index nor the layers have a digest twice: as many as are the same are all. */
static int compare_packs(const struct oci_manifest *manifest, const char *source,
                         vqemu_error **error) {
    const struct pack_index *packed = &manifest->packed;
    for (size_t i = 0; i < packed->pack_count; i++) {
        const struct oci_blob *pack = &packed->packs[i];
        const struct oci_blob *layer =
            oci_blobs_find(manifest->packs, manifest->pack_count, &pack->digest);
        if (!layer)
            return refuse_packs(source, &pack->digest, "is a pack, and no layer is it", error);
        if (layer->size != pack->size)
            return refuse_packs(source, &pack->digest, "is a pack, and its layer has another size",
                                error);
    }
    return packed->pack_count == manifest->pack_count
               ? 0
               : error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: a layer is a pack that it lacks",
                           source);
}

static int compare_objects(const struct oci_manifest *manifest, const char *source,
                           vqemu_error **error) {
    for (size_t i = 0; i < manifest->object_count; i++)
        if (pack_index_find(&manifest->packed, &manifest->objects[i].digest))
            return refuse_packs(source, &manifest->objects[i].digest,
                                "is in a pack, and a layer as well", error);
    return 0;
}

int oci_manifest_load_packs(struct oci_manifest *manifest, const char *text, const char *source,
                            size_t object_max, vqemu_error **error) {
    size_t left = object_max - manifest->object_count; /* no more were read */
    int r = pack_index_load(text, (size_t)manifest->pack_index.size, source, left,
                            &manifest->packed, error);
    if (r == 0)
        r = compare_packs(manifest, source, error);
    return r == 0 ? compare_objects(manifest, source, error) : r;
}
