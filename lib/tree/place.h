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

/* What the inode numbers of a file system tell. */
enum inode_numbers {
    INODES_KNOWN,  /* a link has the inode of the object, for ever */
    INODES_COPIED, /* overlay: a link to a file of a lower layer is another inode */
    /* FUSE: a server can make numbers up. What it says of a link shows whether it does; if so, the
     * tree does without inode numbers. */
    INODES_DOUBTFUL,
};
enum inode_numbers place_find_inode_numbers(int fd);

/*
 * Make the object's file in a directory of a new tree, and tell how. Returns 0 or a negative errno:
 * -EBADMSG if a copy shows that the object is damaged, -ECANCELED if watch says so.
 */
int place_object(const vqemu_store *store, enum inode_numbers inode_numbers, int directory_fd,
                 const struct manifest_object *object, struct opened *opened,
                 const struct watch *watch, struct tree_file *file);

#endif
