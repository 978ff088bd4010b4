/* SPDX-License-Identifier: MIT */
/*
 * Keys of a VM as they are written: "memory", "nics[0].forwards[1].host_port", "extra_args[2]",
 * "cpu_features.sse4.1".
 */
#ifndef LIB_KEY_PATH_H
#define LIB_KEY_PATH_H

#include "vm/property.h"

#define KEY_DEPTH_MAX 4 /* of objects in lists; the tables have 3 */

enum key_kind {
    KEY_STRING, /* also an element of a list of strings */
    KEY_NUMBER,
    KEY_SWITCH,
    KEY_VALUE,  /* a named one: any of these three */
    KEY_LIST,   /* a whole list, or all named values */
    KEY_OBJECT, /* an element of a list of objects */
};

struct key_step {
    const struct property *property;
    bool has_index;
    size_t index;
};

struct key_path {
    const char *text;
    enum key_kind kind;
    struct key_step steps[KEY_DEPTH_MAX];
    size_t count;
    const char *name; /* of a named value; it ends the text */
};

/* What was appended on the way to a key, to be taken away again if its value is refused. */
struct key_growth {
    struct object_list *list; /* NULL: nothing */
    const struct object_type *element;
};

/* By the tables alone. text must outlive the path. */
int key_parse(const struct object_type *type, const char *text, struct key_path *path,
              vqemu_error **error);

/* The property that it ends in. */
static inline const struct key_step *key_last(const struct key_path *path) {
    return &path->steps[path->count - 1];
}

/* Whether it is an element of a list. */
static inline bool key_is_element(const struct key_path *path) {
    return key_last(path)->has_index;
}

int key_wrong_kind(const struct key_path *path, const char *given, vqemu_error **error);

/* The object whose property the key ends in: of "disks[0]" the VM. All that the key leads through
 * must be there, and the element that it ends in. */
int key_find(const struct key_path *path, const void *root, const void **object,
             vqemu_error **error);

/* The same for setting: an index that is a list's count appends an element on the way, and may be
 * what the key ends in. */
int key_make(const struct key_path *path, void *root, void **object, struct key_growth *growth,
             vqemu_error **error);
void key_undo(const struct key_growth *growth);

#endif
