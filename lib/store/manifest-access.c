/* SPDX-License-Identifier: MIT */
/* What a manifest says. */
#include <stdlib.h>
#include <string.h>

#include <volt-qemu/profile.h>

#include "store/manifest-parts.h"
#include "store/manifest.h"
#include "util/export.h"

const char *const manifest_field_keys[FIELD_COUNT] = {
    [NAME] = VQEMU_MANIFEST_NAME,
    [CREATED_AT] = VQEMU_MANIFEST_CREATED_AT,
    [PROFILE] = VQEMU_MANIFEST_PROFILE,
    [QEMU_VERSION] = VQEMU_MANIFEST_QEMU_VERSION,
    [BUILD_DATE] = VQEMU_MANIFEST_BUILD_DATE,
    [BUILD_HOST] = VQEMU_MANIFEST_BUILD_HOST,
    [ARCH] = VQEMU_MANIFEST_ARCH,
    [DESCRIPTION] = VQEMU_MANIFEST_DESCRIPTION,
    [ACCEL] = VQEMU_MANIFEST_ACCEL,
};

static const struct manifest_object *object_at(const vqemu_manifest *manifest, size_t index) {
    return manifest && index < manifest->object_count ? &manifest->objects[index] : NULL;
}

int manifest_compare_objects(const void *a, const void *b) {
    return strcmp(((const struct manifest_object *)a)->path,
                  ((const struct manifest_object *)b)->path);
}

int64_t manifest_find_object(const vqemu_manifest *manifest, const char *path) {
    if (manifest->object_count == 0)
        return -1;
    struct manifest_object key = {.path = (char *)(uintptr_t)path};
    const struct manifest_object *found = bsearch(&key, manifest->objects, manifest->object_count,
                                                  sizeof key, manifest_compare_objects);
    return found ? found - manifest->objects : -1;
}

/* ---- life and access ---- */

VQEMU_EXPORT vqemu_manifest *vqemu_manifest_ref(vqemu_manifest *manifest) {
    if (manifest)
        atomic_fetch_add_explicit(&manifest->references, 1, memory_order_relaxed);
    return manifest;
}

VQEMU_EXPORT void vqemu_manifest_unref(vqemu_manifest *manifest) {
    if (!manifest || atomic_fetch_sub_explicit(&manifest->references, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < FIELD_COUNT; i++)
        free(manifest->fields[i]);
    for (int i = 0; i < WORDS_COUNT; i++)
        json_decref(manifest->words[i]);
    for (size_t i = 0; !manifest->text && i < manifest->object_count; i++)
        free(manifest->objects[i].path);
    free(manifest->objects);
    free(manifest->text);
    json_decref(manifest->unknown);
    free(manifest);
}

const struct manifest_object *manifest_object(const vqemu_manifest *manifest, size_t index) {
    return object_at(manifest, index);
}

int manifest_add_digests(const vqemu_manifest *manifest, struct digest_set *set) {
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        int r = digest_set_add(set, &manifest_object(manifest, i)->digest);
        if (r < 0)
            return r;
    }
    return 0;
}

const struct timespec *manifest_time(const vqemu_manifest *manifest) {
    return &manifest->created_at;
}

VQEMU_EXPORT const char *vqemu_manifest_digest(const vqemu_manifest *manifest) {
    return manifest ? manifest->digest.hex : NULL;
}

VQEMU_EXPORT const char *vqemu_manifest_string(const vqemu_manifest *manifest, const char *key) {
    for (int i = 0; manifest && key && i < FIELD_COUNT; i++)
        if (strcmp(manifest_field_keys[i], key) == 0)
            return manifest->fields[i];
    return NULL;
}

static size_t words_count(const vqemu_manifest *manifest, enum words words) {
    return manifest && manifest->words[words] ? json_array_size(manifest->words[words]) : 0;
}

VQEMU_EXPORT uint64_t vqemu_manifest_abilities(const vqemu_manifest *manifest) {
    uint64_t abilities = 0;
    for (size_t i = 0; i < words_count(manifest, ABILITIES); i++)
        abilities |=
            vqemu_ability_find(json_string_value(json_array_get(manifest->words[ABILITIES], i)));
    return abilities;
}

VQEMU_EXPORT size_t vqemu_manifest_guest_count(const vqemu_manifest *manifest) {
    return words_count(manifest, GUESTS);
}

VQEMU_EXPORT const char *vqemu_manifest_guest_at(const vqemu_manifest *manifest, size_t index) {
    return index < words_count(manifest, GUESTS)
               ? json_string_value(json_array_get(manifest->words[GUESTS], index))
               : NULL;
}

VQEMU_EXPORT int64_t vqemu_manifest_total_bytes(const vqemu_manifest *manifest) {
    return manifest ? manifest->total_bytes : -1;
}

VQEMU_EXPORT size_t vqemu_manifest_object_count(const vqemu_manifest *manifest) {
    return manifest ? manifest->object_count : 0;
}

VQEMU_EXPORT const char *vqemu_manifest_object_path(const vqemu_manifest *manifest, size_t index) {
    const struct manifest_object *object = object_at(manifest, index);
    return object ? object->path : NULL;
}

VQEMU_EXPORT const char *vqemu_manifest_object_digest(const vqemu_manifest *manifest,
                                                      size_t index) {
    const struct manifest_object *object = object_at(manifest, index);
    return object ? object->digest.hex : NULL;
}

VQEMU_EXPORT uint32_t vqemu_manifest_object_mode(const vqemu_manifest *manifest, size_t index) {
    const struct manifest_object *object = object_at(manifest, index);
    return object ? object->mode : 0;
}

VQEMU_EXPORT int64_t vqemu_manifest_find(const vqemu_manifest *manifest, const char *path) {
    return manifest && path ? manifest_find_object(manifest, path) : -1;
}

VQEMU_EXPORT size_t vqemu_manifest_count_below(const vqemu_manifest *manifest,
                                               const char *directory) {
    size_t count = 0, length = directory ? strlen(directory) : 0;
    for (size_t i = 0; directory && i < vqemu_manifest_object_count(manifest); i++) {
        const char *path = manifest->objects[i].path;
        count += strncmp(path, directory, length) == 0 && path[length] == '/';
    }
    return count;
}
