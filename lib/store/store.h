/* SPDX-License-Identifier: MIT */
#ifndef LIB_STORE_H
#define LIB_STORE_H

#include <stdbool.h>

#include <volt-qemu/store.h>

#include "base/call.h"
#include "base/progress.h"
#include "store/store-parts.h"
#include "util/cleanup.h"

/* Whether this is a child of the process that opened it: its locks may be held for ever. */
bool store_is_forked(const vqemu_store *store);

/* Its directories are still there: VQEMU_ERR_NO_STORE if it was removed. One that is gone reads as
 * an empty one. */
int store_require_there(const vqemu_store *store, vqemu_error **error);

/* What every public function that takes a store asks of it first. */
#define REQUIRE_STORE(store, error)                                                                \
    do {                                                                                           \
        REQUIRE_ARGUMENT(store, error);                                                            \
        if (store_is_forked(store))                                                                \
            return error_forked(error, __func__);                                                  \
        int store_is_there = store_require_there(store, error);                                    \
        if (store_is_there < 0)                                                                    \
            return store_is_there;                                                                 \
    } while (0)

/* Refuse, with an error that names what was wanted, if the store was opened read-only. */
int store_require_writable(const vqemu_store *store, const char *what, vqemu_error **error);

/*
 * Hold the store against collection: from the first look at an object until what needs it is
 * published. *lock is closed to release it. The caller is told while it waits.
 */
int store_lock_shared(const vqemu_store *store, struct vqemu_progress *progress, int *lock,
                      vqemu_error **error);

/* The lock of a collection: nobody else builds, assembles or collects. */
struct store_exclusive {
    int gate_fd, lock_fd;
};

/* Wait until nobody holds the store; the caller is told while it waits. */
int store_lock_exclusive(const vqemu_store *store, struct vqemu_progress *progress,
                         struct store_exclusive *lock, vqemu_error **error);
void store_unlock_exclusive(struct store_exclusive *lock);

/* The directories beside objects/. */
#define STORE_ALT "alt"           /* inodes of objects with the other mode class */
#define STORE_ARRIVALS "arrivals" /* when revisions came */
#define STORE_CACHE "cache"       /* what can be found out again */
#define STORE_CURRENT "current"   /* which revisions were set to be used */
#define STORE_PINS "pins"
#define STORE_SIGNATURES "signatures" /* of revisions */
#define STORE_TMP "tmp"               /* what is being made */

/* Open alt/, tmp/ and the like, which lie beside objects/; made if missing. */
int store_open_beside_objects(const vqemu_store *store, const char *name, int *fd,
                              vqemu_error **error);

/* Without making it: -ENOENT if it is missing. A descriptor or a negative errno. */
int store_find_beside_objects(const vqemu_store *store, const char *name);

DEFINE_CLEANUP(vqemu_store, store, vqemu_store_unref);
#define _cleanup_store_ _cleanup_(cleanup_store)

#endif
