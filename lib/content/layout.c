/* SPDX-License-Identifier: MIT */
#include "content/layout.h"

#include <string.h>

#include "util/path.h"

static bool begins_with(const char *path, const char *start) {
    return strncmp(path, start, strlen(start)) == 0;
}

bool layout_is_program(const char *path) {
    return begins_with(path, PROGRAM_PREFIX);
}

bool layout_is_module(const char *path) {
    const char *name = base_name(path);
    size_t length = strlen(path);
    return begins_with(path, LIBRARY_PREFIX) && name - path > 6 &&
           strncmp(name - 6, "/qemu/", 6) == 0 && length > 3 &&
           strcmp(path + length - 3, ".so") == 0;
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
