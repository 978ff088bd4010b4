/* SPDX-License-Identifier: MIT */
/*
 * Which objects of a manifest this store has hashed already, and as which inodes. One that is still
 * the same inode of the same size, and has OBJECT_MTIME still, was not written to since.
 */
#ifndef LIB_VERIFIED_H
#define LIB_VERIFIED_H

#include <stdbool.h>
#include <sys/stat.h>

#include "manifest.h"
#include "store.h"

/* An object as it was when it was hashed; all 0 for one that was not. */
struct verified {
    uint64_t inode;
    uint64_t size;
};

/*
 * What is known of the objects of a manifest, in their order; owned by the caller. All 0 where
 * nothing is known. NULL without memory.
 */
struct verified *verified_load(const vqemu_store *store, const vqemu_manifest *manifest);

/* Remember it for the next time. Failures do not matter: what is not known is hashed again. */
void verified_save(const vqemu_store *store, const vqemu_manifest *manifest,
                   const struct verified *verified);

/* Whether a file is the object that was hashed, unchanged. */
bool verified_is(const struct verified *verified, const struct stat *status);

#endif
