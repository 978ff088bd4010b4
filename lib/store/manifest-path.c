/* SPDX-License-Identifier: MIT */
/* Which paths a manifest can hold. */
#include <string.h>

#include "store/manifest.h"
#include "util/utf8.h"
#include "util/word.h"

static const char *find_component_fault(const char *component, size_t length) {
    if (length == 0)
        return "an empty component";
    if (length > MANIFEST_COMPONENT_MAX)
        return "a component of more than 255 bytes";
    if (component[0] == '.' && (length == 1 || (length == 2 && component[1] == '.')))
        return "a component \".\" or \"..\"";
    return NULL;
}

static const char *find_byte_fault(char c) {
    if (c == '\\')
        return "a backslash";
    return (unsigned char)c < 0x20 || c == 0x7f ? "a control byte" : NULL;
}

/* Whether the path is the stamp or lies below it. */
static bool takes_place_of_stamp(const char *path) {
    size_t length = strlen(TREE_STAMP_NAME);
    return begins_folded(path, TREE_STAMP_NAME) && (!path[length] || path[length] == '/');
}

const char *manifest_find_path_fault(const char *path) {
    if (!*path)
        return "is empty";
    if (*path == '/')
        return "is absolute";
    if (strlen(path) > MANIFEST_PATH_MAX)
        return "has more than 1024 bytes";
    if (takes_place_of_stamp(path))
        return "is the name of the tree's stamp file";
    const char *component = path, *fault = NULL;
    int depth = 1;
    for (const char *c = path; !fault; c++) {
        if (*c && *c != '/') {
            fault = find_byte_fault(*c);
            continue;
        }
        fault = find_component_fault(component, (size_t)(c - component));
        if (!*c)
            break;
        component = c + 1;
        if (!fault && ++depth > MANIFEST_DEPTH_MAX)
            fault = "more than 16 components";
    }
    return fault;
}

const char *manifest_find_new_path_fault(const char *path) {
    const char *fault = manifest_find_path_fault(path);
    return fault || utf8_is_valid(path) ? fault : "bytes that are not UTF-8";
}
