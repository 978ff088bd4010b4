/* SPDX-License-Identifier: MIT */
#ifndef LIB_REVISION_H
#define LIB_REVISION_H

#include <volt-qemu/revision.h>

#include <sys/stat.h>

#include "base/digest.h"
#include "store/manifest.h"
#include "store/store.h"
#include "util/cleanup.h"

#define REVISION_SUFFIX ".json"

/*
 * Write a manifest into the store as the revision <profile>-<first 8 digits of its digest>. text:
 * the very text it was loaded from; NULL for the text that vqemu_manifest_to_json() makes.
 */
int revision_publish(vqemu_store *store, const char *profile, vqemu_manifest *manifest,
                     const char *text, vqemu_revision **revision, vqemu_error **error);

/*
 * A revision whose manifest has not been read: that is done when it is first asked for, and must
 * give this digest.
 */
int revision_new_unloaded(vqemu_store *store, const char *name, const struct digest *digest,
                          vqemu_revision **revision, vqemu_error **error);

/* Read the manifest if that has not been done. */
int revision_load(vqemu_revision *revision, vqemu_error **error);

/* The manifest's digest, loaded or not. */
const char *revision_digest(const vqemu_revision *revision);

/* What its file was like when it was loaded. */
const struct stat *revision_file_status(const vqemu_revision *revision);

/* VQEMU_ERR_INVALID unless a name has the form of a revision's. */
int revision_check_name(const char *name, vqemu_error **error);

/* Whether the store still has it. */
bool revision_exists(const vqemu_store *store, const vqemu_revision *revision);

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
 * The revisions that an operator means: one by its name, the newest or all of a profile, or all of
 * the store if name is NULL. Refs that are broken are listed with their problem, unless named.
 */
int revision_list_named(vqemu_store *store, const char *name, vqemu_revision_list **list,
                        vqemu_error **error);

/* The revisions of a profile, the newest first. One that is broken is an error. */
int revision_list_sound(vqemu_store *store, const char *profile, vqemu_revision_list **list,
                        vqemu_error **error);

/* The error for a profile that has no revision. */
int revision_not_in_store(const vqemu_store *store, const char *profile, vqemu_error **error);

DEFINE_CLEANUP(vqemu_revision, revision, vqemu_revision_unref);
DEFINE_CLEANUP(vqemu_revision_list, revision_list, vqemu_revision_list_free);
#define _cleanup_revision_ _cleanup_(cleanup_revision)
#define _cleanup_revision_list_ _cleanup_(cleanup_revision_list)

#endif
