/* SPDX-License-Identifier: MIT */
#ifndef LIB_REVISION_H
#define LIB_REVISION_H

#include <volt-qemu/revision.h>

#include <sys/stat.h>

#include "base/digest.h"
#include "store/manifest.h"
#include "store/revision-name.h"
#include "store/store.h"
#include "util/cleanup.h"

/*
 * A revision whose manifest has not been read: for who only needs name and digest. It must have
 * been loaded, which must give this digest, before others get to see it.
 */
int revision_new_unloaded(const vqemu_store *store, const char *name, const struct digest *digest,
                          vqemu_revision **revision, vqemu_error **error);

/* One whose file has just been written. */
int revision_new_of_manifest(const vqemu_store *store, const char *name, vqemu_manifest *manifest,
                             vqemu_revision **revision, vqemu_error **error);

/* Read the manifest if that has not been done. Not for one that others may look at meanwhile. */
int revision_load(const vqemu_store *store, vqemu_revision *revision, vqemu_call *call,
                  vqemu_error **error);

/* Fail for one that could not be loaded, as its own error says. */
int revision_broken(const vqemu_revision *revision, vqemu_error **error);

/* The manifest's digest, loaded or not. */
const char *revision_digest(const vqemu_revision *revision);

/* What its file was like when it was loaded. */
const struct stat *revision_file_status(const vqemu_revision *revision);

/* The revision of this name. */
int revision_find(const vqemu_store *store, const char *name, vqemu_call *call,
                  vqemu_revision **revision, vqemu_error **error);

/* Whether it is one of this store, by whatever path that was opened, and the error if it is not. */
int revision_check_store(const vqemu_store *store, const vqemu_revision *revision,
                         vqemu_error **error);

/* Whether the store still has it, and VQEMU_ERR_NO_REVISION if it was removed. */
int revision_require_there(const vqemu_store *store, const vqemu_revision *revision,
                           vqemu_error **error);

/* The text of its file, which has the digest of its manifest. Owned by the caller. */
int revision_read_text(const vqemu_store *store, const vqemu_revision *revision, char **text,
                       size_t *size, vqemu_error **error);

/*
 * The error for an object of a revision that cannot be used: what is with it, and what helps beside
 * a repair ("" for nothing else).
 */
int revision_object_damaged(const vqemu_store *store, const vqemu_revision *revision,
                            const struct manifest_object *object, const char *how,
                            const char *helps, vqemu_error **error);

/* The error for one that cannot be read: damage if it is missing or no file. */
int revision_object_failed(const vqemu_store *store, const vqemu_revision *revision,
                           const struct manifest_object *object, int system_errno,
                           const char *helps, vqemu_error **error);

/*
 * The revisions that an operator means: one by its name, all of a profile, or all of the store if
 * name is NULL. Those that are broken are listed with their error, unless named.
 */
int revision_list_named(const vqemu_store *store, const char *name, vqemu_call *call,
                        vqemu_revision_list **list, vqemu_error **error);

/*
 * The revisions of a profile, or of all, the newest of each first: the one that came last into this
 * store, where that was written down, else by the time at which it says that it was created. With
 * their errors, or so that one that is broken is an error.
 */
int revision_list_all(const vqemu_store *store, const char *profile, vqemu_call *call,
                      vqemu_revision_list **list, vqemu_error **error);
int revision_list_sound(const vqemu_store *store, const char *profile, vqemu_call *call,
                        vqemu_revision_list **list, vqemu_error **error);

/* The place of one in a list of its profile: the later, the newer. */
const struct timespec *revision_list_order(const vqemu_revision_list *list, size_t index);

/* The error for a profile that has no revision. */
int revision_not_in_store(const vqemu_store *store, const char *profile, vqemu_error **error);

DEFINE_CLEANUP(vqemu_revision, revision, vqemu_revision_unref);
DEFINE_CLEANUP(vqemu_revision_list, revision_list, vqemu_revision_list_free);
#define _cleanup_revision_ _cleanup_(cleanup_revision)
#define _cleanup_revision_list_ _cleanup_(cleanup_revision_list)

#endif
