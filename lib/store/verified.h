/* SPDX-License-Identifier: MIT */
/*
 * The objects of a manifest, which of them this store has hashed already, and as which inodes. One
 * that is still the same inode of the same size, and has OBJECT_MTIME still, was not written to
 * since. Read far faster than the manifest itself.
 */
#ifndef LIB_VERIFIED_H
#define LIB_VERIFIED_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/manifest.h"
#include "store/store.h"

/* An object as it was when it was hashed; all 0 for one that was not. */
struct verified {
    uint64_t inode;
    uint64_t size;
};

/*
 * What was saved of the manifest with a digest: a manifest that has nothing but its objects, and
 * what is known of them, in their order; both owned by the caller. Returns 0, -ENOENT if nothing
 * is known, or -ENOMEM.
 */
int verified_load(const vqemu_store *store, const char *digest, vqemu_manifest **manifest,
                  struct verified **verified);

/* Remember it for the next time. Failures do not matter: what is not known is hashed again. */
void verified_save(const vqemu_store *store, const vqemu_manifest *manifest,
                   const struct verified *verified);

/* Whether a file is the object that was hashed, unchanged. */
bool verified_is(const struct verified *verified, const struct stat *status);

#endif
