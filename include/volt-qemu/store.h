/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_STORE_H
#define VOLT_QEMU_STORE_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/profile.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/trust.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An open content-addressed store: objects, revisions, and the trees assembled from them.
 *
 * A handle keeps descriptors of its directories open. It is reference counted and thread-safe: any
 * number of threads may use one handle, and any number of processes one store. What is done with a
 * handle goes by the descriptors: a store that gets another name meanwhile stays the same one, and
 * the paths of runtimes are then the new ones, as they are where the given path goes by a link that
 * others than root and the caller could change. Only trees are looked for anew where nothing leads
 * to them any more, as when they were removed, or when something was mounted over them. Once its
 * directories of objects or revisions were removed, every function that is given the handle answers
 * VQEMU_ERR_NO_STORE. In a child that was forked from the process that opened it, it can only be
 * released: other uses are VQEMU_ERR_USAGE (reason "forked").
 * Since 1.0.
 */
typedef struct vqemu_store vqemu_store;

/* ---- opening ---- */

/** Where the parts of a store are. Mutable, one owner, one thread at a time. Since 1.0. */
typedef struct vqemu_store_options vqemu_store_options;

/** The directory with cas/objects, cas/refs and qemu/trees. Since 1.0. */
#define VQEMU_STORE_ROOT "root"

/** Where object files are, instead of <root>/cas/objects. The store's directories alt/, arrivals/,
 * cache/, current/, pins/, signatures/ and tmp/ are made beside it when they are needed, on the
 * same file system; so two stores must not have their objects side by side. Since 1.0. */
#define VQEMU_STORE_OBJECTS "objects"

/** Where manifests are, instead of <root>/cas/refs. Since 1.0. */
#define VQEMU_STORE_REFS "refs"

/** Where assembled trees are, instead of <root>/qemu/trees: for hard links, on the file system of
 * the objects. Since 1.0. */
#define VQEMU_STORE_TREES "trees"

/** Where a symbolic link <profile> to the tree in use is kept, instead of <root>/qemu. Without a
 * root and this, no links are kept. Since 1.0. */
#define VQEMU_STORE_LINKS "links"

/** A descriptor of the root, which is duplicated: then VQEMU_STORE_ROOT only names it in messages.
 * Since 1.0. */
#define VQEMU_STORE_ROOT_FD "root_fd"

/** Make empty ones. The caller frees *options with vqemu_store_options_free(). Errors:
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_store_options_new(vqemu_store_options **options, vqemu_error **error);

/** Set a path by its key, one of the macros above; NULL unsets it. Errors: VQEMU_ERR_UNKNOWN_KEY,
 * VQEMU_ERR_INVALID (empty), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_store_options_set_string(vqemu_store_options *options, const char *key, const char *value,
                                   vqemu_error **error);

/** Set a number by its key: VQEMU_STORE_ROOT_FD. Errors: VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_INVALID,
 * VQEMU_ERR_USAGE. Since 1.0. */
int vqemu_store_options_set_number(vqemu_store_options *options, const char *key, uint64_t value,
                                   vqemu_error **error);

/**
 * Require signatures (<volt-qemu/trust.h>); NULL, the default, requires none. What comes into the
 * store by this handle from elsewhere, by vqemu_store_import(), vqemu_store_import_layout(),
 * vqemu_store_copy() or vqemu_store_pull(), must be signed by one of these, which is found out
 * before anything of it is taken; so must what vqemu_resolve() puts on disk, each time, what
 * vqemu_store_add_signature() adds, and what vqemu_store_check() looks at. Otherwise:
 * VQEMU_ERR_UNTRUSTED, or a problem of the check. A directory that vqemu_store_ingest() takes in
 * has no signature: it cannot be resolved by this handle before it gets one. The options take a
 * reference. Errors: VQEMU_ERR_USAGE. Since 1.0.
 */
int vqemu_store_options_set_trust(vqemu_store_options *options, vqemu_trust *trust,
                                  vqemu_error **error);

/** Free them. NULL is allowed. Since 1.0. */
void vqemu_store_options_free(vqemu_store_options *options);

/** Flags for opening a store. Since 1.0. */
enum vqemu_store_flag {
    /** Make the directories that are missing. */
    VQEMU_STORE_CREATE = 1,
    /** Write nothing at all: no object, no revision, no tree. Trees that are assembled can be used.
     */
    VQEMU_STORE_READ_ONLY = 2,
    /** Open also a store of which another user than root and the caller owns the directory of
     * objects, manifests or trees, or one in which these lie, or a link by which they have their
     * names, or the root, or to which its group or everybody may write; and use files in it that
     * are another user's. Who may write to a store decides which programs are run from it. Without
     * this, a directory of trees that was not there yet, an object, a manifest, or the file that
     * says which revision is used, is VQEMU_ERR_REFUSED (reason "untrusted-store", with the path)
     * by the call that would use it; trees and what is remembered are made anew. */
    VQEMU_STORE_ALLOW_OTHERS = 4
};

/**
 * Open a store: by its root, or by each of its parts.
 *
 * flags: an OR of enum vqemu_store_flag. On success the caller releases *store with
 * vqemu_store_unref().
 *
 * Without VQEMU_STORE_CREATE, the directory of trees need not be there: it is made when the first
 * tree is assembled.
 *
 * Errors: VQEMU_ERR_NO_STORE (objects or manifests are missing and VQEMU_STORE_CREATE was not
 * given), VQEMU_ERR_INVALID (neither a root nor objects, refs and trees), VQEMU_ERR_REFUSED (reason
 * "untrusted-store", with the path: others can write to the store, and
 * VQEMU_STORE_ALLOW_OTHERS was not given), VQEMU_ERR_USAGE (unknown or contradicting flags),
 * VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_store_open(const vqemu_store_options *options, uint32_t flags, vqemu_store **store,
                     vqemu_error **error);

/** Open the store below one root directory; otherwise like vqemu_store_open(). Since 1.0. */
int vqemu_store_open_root(const char *root, uint32_t flags, vqemu_store **store,
                          vqemu_error **error);

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_store *vqemu_store_ref(vqemu_store *store);

/** Release a reference; the last one closes the store. NULL is allowed. Since 1.0. */
void vqemu_store_unref(vqemu_store *store);

/* ---- what it has ---- */

/**
 * List the revisions of one profile, or of all if profile is NULL: grouped by profile, in each the
 * newest first, which is the one that came last into this store, see
 * vqemu_revision_arrived_at(). Files of refs/ that do not have the form of a revision are passed
 * over; a revision whose manifest cannot be loaded is listed with vqemu_revision_error(), last of
 * its profile. The list of a profile that the store does not have, or nobody knows, is empty.
 * flags: 0. call: may be NULL. The caller frees *list with vqemu_revision_list_free().
 *
 * Errors: VQEMU_ERR_INVALID (profile cannot be the name of one), VQEMU_ERR_NO_STORE (the store was
 * removed since it was opened), VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_USAGE,
 * VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_store_list_revisions(vqemu_store *store, const char *profile, uint32_t flags,
                               vqemu_call *call, vqemu_revision_list **list, vqemu_error **error);

/**
 * Find a revision by its name, such as "kvm-linux-8e1e73bc", or that of a profile which
 * vqemu_resolve() takes, by the name of the profile: the one that vqemu_store_set_current() set,
 * else the newest, that is the one that came last into this store, whenever it says that it was
 * created. flags: 0. call: may be NULL. The caller releases *revision with
 * vqemu_revision_unref().
 *
 * Errors: VQEMU_ERR_NO_REVISION (reason "no-such-revision", "profile-not-in-store", or
 * "current-gone": the one that was set has been removed by hand; set another one or the profile),
 * VQEMU_ERR_MALFORMED (it is broken, or one of the profile is, so that which one is the newest
 * cannot be told; reason "current-broken": the file that says which one is used is),
 * VQEMU_ERR_REFUSED (reason "untrusted-store": a manifest, or the file that says which revision is
 * used, is another user's, or others may write to it), VQEMU_ERR_INVALID (name can be neither),
 * VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE,
 * VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_store_find_revision(vqemu_store *store, const char *name, uint32_t flags,
                              vqemu_call *call, vqemu_revision **revision, vqemu_error **error);

/** Profiles that a store has. Immutable, one owner. Since 1.0. */
typedef struct vqemu_profile_list vqemu_profile_list;

/**
 * List the profiles that have a revision in the store, by name: of the library's own, and those
 * that their manifests describe, as the revision does that vqemu_resolve() takes. One whose
 * manifest is broken, or describes none, is passed over. flags: 0. call: may be NULL. The caller
 * frees *list with vqemu_profile_list_free().
 *
 * Errors: VQEMU_ERR_REFUSED (reason "untrusted-store": the manifest of a profile of its own, or the
 * file that says which revision is used, is another user's, or others may write to it),
 * VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE,
 * VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_store_list_profiles(vqemu_store *store, uint32_t flags, vqemu_call *call,
                              vqemu_profile_list **list, vqemu_error **error);

/** How many profiles the list holds. Since 1.0. */
size_t vqemu_profile_list_count(const vqemu_profile_list *list);

/** The profile at an index; NULL beyond the count. Borrowed from the list. Since 1.0. */
vqemu_profile *vqemu_profile_list_at(const vqemu_profile_list *list, size_t index);

/** Free the list and its references. NULL is allowed. Since 1.0. */
void vqemu_profile_list_free(vqemu_profile_list *list);

/**
 * Set which revision of its profile is used, until another one is set: vqemu_resolve() takes it, in
 * every process that uses the store, from now on, whatever is newer. It is neither collected nor
 * removed. So one rolls back. The link <profile> follows at the next vqemu_resolve().
 *
 * name: that of a revision; or that of a profile, to use the newest again. flags: 0. Waits until no
 * collection runs, as long as call allows. It is on stable storage when this returns.
 *
 * Errors: VQEMU_ERR_NO_REVISION (reason "no-such-revision", or "profile-not-in-store"),
 * VQEMU_ERR_MALFORMED (it is broken), VQEMU_ERR_REFUSED (reason "untrusted-store": the revision's
 * manifest is another user's, or others may write to it), VQEMU_ERR_INVALID (name can be neither),
 * VQEMU_ERR_READ_ONLY, VQEMU_ERR_BUSY, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE
 * (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread.
 * Since 1.0.
 */
int vqemu_store_set_current(vqemu_store *store, const char *name, uint32_t flags, vqemu_call *call,
                            vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
