/* SPDX-License-Identifier: MIT */
#ifndef LIB_REF_H
#define LIB_REF_H

#include <volt-qemu/ref.h>

#include <sys/stat.h>

#include "base/digest.h"
#include "store/manifest.h"
#include "store/store.h"
#include "util/cleanup.h"

#define REF_SUFFIX ".json"

/*
 * Write a manifest into the store as the ref <profile>-<first 8 digits of its digest>. text: the
 * very text it was loaded from; NULL for the text that vqemu_manifest_to_json() makes.
 */
int ref_publish(vqemu_store *store, const char *profile, vqemu_manifest *manifest, const char *text,
                vqemu_ref **ref, vqemu_error **error);

/*
 * A ref whose manifest has not been read: that is done when it is first asked for, and must give
 * this digest.
 */
int ref_new_unloaded(vqemu_store *store, const char *name, const struct digest *digest,
                     vqemu_ref **ref, vqemu_error **error);

/* Read the manifest if that has not been done. */
int ref_load(vqemu_ref *ref, vqemu_error **error);

/* The manifest's digest, loaded or not. */
const char *ref_digest(const vqemu_ref *ref);

/* What its file was like when it was loaded. */
const struct stat *ref_file_status(const vqemu_ref *ref);

/* VQEMU_ERR_INVALID unless a name has the form of a ref's. */
int ref_check_name(const char *name, vqemu_error **error);

/* Whether the store still has it. */
bool ref_exists(const vqemu_store *store, const vqemu_ref *ref);

/* The text of its file, which has the digest of its manifest. Owned by the caller. */
int ref_read_text(const vqemu_store *store, const vqemu_ref *ref, char **text, size_t *size,
                  vqemu_error **error);

/*
 * The error for an object of a ref that cannot be used: what is with it, and what helps beside a
 * repair ("" for nothing else).
 */
int ref_object_damaged(const vqemu_store *store, const vqemu_ref *ref,
                       const struct manifest_object *object, const char *how, const char *helps,
                       vqemu_error **error);

/* The error for one that cannot be read: damage if it is missing or no file. */
int ref_object_failed(const vqemu_store *store, const vqemu_ref *ref,
                      const struct manifest_object *object, int system_errno, const char *helps,
                      vqemu_error **error);

/*
 * The refs that an operator means: one by its name, the newest or all of a profile, or all of the
 * store if name is NULL. Refs that are broken are listed with their problem, unless named.
 */
int ref_list_named(vqemu_store *store, const char *name, vqemu_ref_list **list,
                   vqemu_error **error);

/* The refs of a profile, the newest first. One that is broken is an error. */
int ref_list_sound(vqemu_store *store, const char *profile, vqemu_ref_list **list,
                   vqemu_error **error);

/* The error for a profile that has no ref. */
int ref_not_in_store(const vqemu_store *store, const char *profile, vqemu_error **error);

DEFINE_CLEANUP(vqemu_ref, ref, vqemu_ref_unref);
DEFINE_CLEANUP(vqemu_ref_list, ref_list, vqemu_ref_list_free);
#define _cleanup_ref_ _cleanup_(cleanup_ref)
#define _cleanup_ref_list_ _cleanup_(cleanup_ref_list)

#endif
