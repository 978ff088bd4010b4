/* SPDX-License-Identifier: MIT */
#ifndef LIB_STORE_H
#define LIB_STORE_H

#include <stdbool.h>

#include <volt-qemu/store.h>

#include "store-parts.h"
#include "util/cleanup.h"

/* Refuse, with an error that names what was wanted, if the store was opened read-only. */
int store_require_writable(const vqemu_store *store, const char *what, vqemu_error **error);

/*
 * Hold the store against collection: from the first look at an object until what needs it is
 * published. *lock is closed to release it.
 */
int store_lock_shared(const vqemu_store *store, int *lock, vqemu_error **error);

/* Open alt/ or tmp/, which lie beside objects/; made if missing. */
int store_open_beside_objects(const vqemu_store *store, const char *name, int *fd,
                              vqemu_error **error);

/* Open the directory of trees; made if missing and create is set, else VQEMU_ERR_NOT_FOUND. */
int store_open_trees(const vqemu_store *store, bool create, int *fd, vqemu_error **error);

size_t store_max_objects(const vqemu_store *store);

DEFINE_CLEANUP(vqemu_store, store, vqemu_store_unref);
#define _cleanup_store_ _cleanup_(cleanup_store)

#endif
