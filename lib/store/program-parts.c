/* SPDX-License-Identifier: MIT */
#include "store/program-parts.h"

#include <errno.h>
#include <string.h>

#include "util/strbuf.h"

static bool matters(const char *path, const char *program) {
    return strcmp(path, program) == 0 || strncmp(path, "lib/", 4) == 0;
}

int program_parts_digest(const vqemu_manifest *manifest, const char *program,
                         struct digest *digest) {
    _cleanup_strbuf_ struct strbuf parts = {0};
    size_t count = vqemu_manifest_object_count(manifest);
    if (manifest_find_object(manifest, program) < 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const struct manifest_object *object = manifest_object(manifest, i);
        if (matters(object->path, program))
            strbuf_addf(&parts, "%s %s\n", object->digest.hex, object->path);
    }
    if (parts.failed)
        return -ENOMEM;
    *digest = digest_of_bytes(parts.text, parts.length);
    return 1;
}

int program_parts_add_all(const vqemu_manifest *manifest, struct digest_set *set) {
    size_t count = vqemu_manifest_object_count(manifest);
    int r = 0;
    for (size_t i = 0; r >= 0 && i < count; i++) {
        const char *path = manifest_object(manifest, i)->path;
        struct digest digest;
        if (strncmp(path, "bin/", 4) != 0)
            continue;
        r = program_parts_digest(manifest, path, &digest);
        if (r == 1)
            r = digest_set_add(set, &digest);
    }
    return r < 0 ? r : 0;
}
