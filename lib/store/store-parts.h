/* SPDX-License-Identifier: MIT */
/*
 * The inside of a store handle. Not in store.h: tools that compare ABIs would take that for the
 * public header of the same name, and this for public.
 */
#ifndef LIB_STORE_PARTS_H
#define LIB_STORE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/directory.h"

struct vqemu_store {
    atomic_uint references;
    uint32_t flags;
    pid_t process; /* that opened it */
    char *objects_path, *refs_path, *trees_path;
    char *beside_path;       /* what objects/ lies in, for messages */
    char *links_path;        /* NULL where no links are kept */
    bool links_beside_trees; /* their targets are relative */
    int objects_fd, refs_fd;
    dev_t refs_device; /* these two tell one store from another */
    ino_t refs_inode;
    struct vqemu_trust *trust; /* who must have signed what is used; NULL for nobody */
    struct directory trees, links;
    struct newest_memo *memo;
    struct tree_memo *tree_memo;
    pthread_mutex_t memo_lock; /* of both */
};

#endif
