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

struct vqemu_store {
    atomic_uint references;
    uint32_t flags;
    pid_t process; /* that opened it */
    char *objects_path, *refs_path, *trees_path;
    char *links_path;  /* NULL where no links are kept */
    char *link_prefix; /* what a link has in front of the name of a tree */
    int objects_fd, refs_fd;
    atomic_int trees_fd; /* -1 until it is first needed */
    struct newest_memo *memo;
    pthread_mutex_t memo_lock;
};

#endif
