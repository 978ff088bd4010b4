/* SPDX-License-Identifier: MIT */
/* Putting one object into a tree: by a link where that can be, else by a copy. */
#ifndef LIB_PLACE_H
#define LIB_PLACE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/store.h"
#include "tree/stamp.h"

/* An object that is about to be placed. */
struct opened {
    int fd; /* -1 for one that is known to be good; closed by the caller */
    struct stat status;
};

/*
 * Make the object's file in a directory of a new tree, and tell how. copies_up: the file system
 * (overlay) makes another inode of a file of its lower layer when that is linked. Returns 0 or a
 * negative errno: -EBADMSG if a copy shows that the object is damaged, -ECANCELED if watch says so.
 */
int place_object(const vqemu_store *store, bool copies_up, int directory_fd,
                 const struct manifest_object *object, struct opened *opened,
                 const struct watch *watch, struct tree_file *file);

#endif
