/* SPDX-License-Identifier: MIT */
#include "content/files.h"

#include <string.h>

#include "util/path.h"
#include "util/word.h"

bool content_is_program(const char *path) {
    return begins_with(path, PROGRAM_PREFIX);
}

bool content_is_module(const char *path) {
    const char *name = base_name(path);
    return begins_with(path, LIBRARY_PREFIX) && name - path > 6 &&
           strncmp(name - 6, "/qemu/", 6) == 0 && ends_with(path, ".so");
}

int64_t content_find(const struct content_files *files, const char *path) {
    size_t low = 0, high = files->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(path, files->paths[middle]);
        if (order == 0)
            return (int64_t)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}
