/* SPDX-License-Identifier: MIT */
#ifndef LIB_MANIFEST_H
#define LIB_MANIFEST_H

#include <stdbool.h>
#include <time.h>

#include <volt-qemu/manifest.h>

#include "base/digest-set.h"
#include "base/digest.h"
#include "util/cleanup.h"

/* The file in the root of an assembled tree that says how it was assembled. */
#define TREE_STAMP_NAME ".volt-tree"

#define MANIFEST_PATH_MAX 1024
#define MANIFEST_COMPONENT_MAX 255
#define MANIFEST_DEPTH_MAX 16

struct manifest_object {
    char *path;
    struct digest digest;
    uint16_t mode; /* 0 where the manifest gives none */
};

/* The object at an index below the count. */
const struct manifest_object *manifest_object(const vqemu_manifest *manifest, size_t index);
/* The order of objects, by their paths; for qsort(3). */
int manifest_compare_objects(const void *a, const void *b);

/* The index of the object at a path, once they are sorted; -1 if there is none. */
int64_t manifest_find_object(const vqemu_manifest *manifest, const char *path);

/* Add the digests of all objects to a set. Returns 0 or -ENOMEM. */
int manifest_add_digests(const vqemu_manifest *manifest, struct digest_set *set);
const struct timespec *manifest_time(const vqemu_manifest *manifest);

/* What is wrong with a path in a manifest, as a phrase; NULL if it is acceptable. */
const char *manifest_find_path_fault(const char *path);

/* The same for a path that is to go into a new manifest: JSON holds nothing but UTF-8. */
const char *manifest_find_new_path_fault(const char *path);

/* How large the text of a manifest with so many objects may be. */
size_t manifest_text_limit(size_t max_objects);

/* vqemu_manifest_load_memory() and _load_fd() for the library itself. */
int manifest_load_memory(const void *text, size_t size, const char *source, size_t max_objects,
                         vqemu_manifest **manifest, vqemu_error **error);
int manifest_load_fd(int fd, const char *source, vqemu_call *call, vqemu_manifest **manifest,
                     vqemu_error **error);

/* The fields of a new manifest. Optional ones are NULL. */
struct manifest_fields {
    const char *name, *created_at, *profile, *qemu_version, *build_date, *build_host, *arch;
    const char *description, *accel;
    const char *abilities, *guests; /* separated by commas */
    int64_t total_bytes;
};

/*
 * Make a manifest of these fields and objects, validated like one that was loaded. The objects may
 * be in any order. source: where they come from, for messages.
 */
int manifest_new(const struct manifest_fields *fields, const char *source,
                 const struct manifest_object *objects, size_t count, size_t max_objects,
                 vqemu_manifest **manifest, vqemu_error **error);

/*
 * A manifest that has nothing but its digest and objects, which are sorted by path and not checked
 * again. Takes ownership of objects, whose paths lie in text, and of text. NULL without memory.
 */
vqemu_manifest *manifest_of_objects(const char *digest, struct manifest_object *objects,
                                    size_t count, char *text);

/* Whether two manifests have the same objects and fields, apart from "created_at". */
bool manifest_same_content(const vqemu_manifest *a, const vqemu_manifest *b);

DEFINE_CLEANUP(vqemu_manifest, manifest, vqemu_manifest_unref);
#define _cleanup_manifest_ _cleanup_(cleanup_manifest)

#endif
