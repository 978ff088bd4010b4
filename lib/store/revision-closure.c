/* SPDX-License-Identifier: MIT */
#include "store/revision-closure.h"

#include <stdlib.h>

#include "base/error.h"
#include "store/object.h"
#include "store/store-profile.h"

int manifest_closure(const char *profile, const vqemu_manifest *manifest,
                     int (*open)(void *context, size_t index), void *context,
                     struct vqemu_progress *progress, vqemu_closure **closure,
                     vqemu_error **error) {
    _cleanup_profile_ vqemu_profile *described = NULL;
    size_t count = vqemu_manifest_object_count(manifest);
    _cleanup_free_ const char **paths = calloc(count + 1, sizeof *paths);
    if (!paths)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        paths[i] = vqemu_manifest_object_path(manifest, i);
    int r = profile_of_manifest(profile, manifest, &described, error);
    if (r < 0)
        return r;
    const struct content_files files = {paths, count, open, context};
    return closure_find(&files, described, vqemu_manifest_string(manifest, VQEMU_MANIFEST_ARCH),
                        progress, closure, error);
}

struct objects {
    const vqemu_store *store;
    const vqemu_manifest *manifest;
};

static int open_object(void *context, size_t index) {
    const struct objects *objects = context;
    struct stat status;
    int fd;
    int r = object_open(objects->store->objects_fd,
                        manifest_object(objects->manifest, index)->digest.hex, &fd, &status);
    return r < 0 ? r : fd;
}

int revision_closure(const vqemu_store *store, const vqemu_revision *revision,
                     struct vqemu_progress *progress, vqemu_closure **closure,
                     vqemu_error **error) {
    struct objects objects = {store, vqemu_revision_manifest(revision)};
    return manifest_closure(vqemu_revision_profile_name(revision), objects.manifest, open_object,
                            &objects, progress, closure, error);
}
