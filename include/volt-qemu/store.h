/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_STORE_H
#define VOLT_QEMU_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>
#include <volt-qemu/manifest.h>
#include <volt-qemu/revision.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An open content-addressed store: objects, revisions, and the trees assembled from them.
 *
 * A handle keeps descriptors of its directories open. It is reference counted and thread-safe: any
 * number of threads may use one handle, and any number of processes one store. Since 1.0.
 */
typedef struct vqemu_store vqemu_store;

/** Flags for opening a store. Since 1.0. */
enum vqemu_store_flag {
    /** Make the directories that are missing. */
    VQEMU_STORE_CREATE = 1,
    /** Write nothing at all: no object, no revision, no tree. Trees that are assembled can be used.
     */
    VQEMU_STORE_READ_ONLY = 2
};

/**
 * Called now and then by long operations, from the thread that called them.
 *
 * step: what is being done: "hash", "import", "export", "copy" and "repair" count bytes,
 * "assemble", "verify" and "collect" count files or objects; "wait" waits for others that use the
 * store. Later versions may have more. item: the file or object at hand, "" at times. done and
 * total: how many so far and in all; total is 0 where it is not known. The strings live for the
 * call only. Return 0 to go on; anything else stops the operation, which then fails with
 * VQEMU_ERR_CANCELLED and leaves nothing half-made behind. Since 1.0.
 */
typedef int (*vqemu_step_fn)(const char *step, const char *item, uint64_t done, uint64_t total,
                             void *userdata);

/**
 * Open the store below one root directory: <root>/cas/objects, <root>/cas/refs, <root>/qemu/trees.
 *
 * flags: an OR of enum vqemu_store_flag. On success the caller releases *store with
 * vqemu_store_unref().
 *
 * Without VQEMU_STORE_CREATE, the directory of trees need not be there: it is made when the first
 * tree is assembled.
 *
 * Errors: VQEMU_ERR_NOT_FOUND (objects or revisions is missing and VQEMU_STORE_CREATE was not
 * given), VQEMU_ERR_INVALID (unknown or contradicting flags), VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_store_open(const char *root, uint32_t flags, vqemu_store **store, vqemu_error **error);

/**
 * Open a store whose parts lie in separate directories.
 *
 * objects: object files. revisions: manifests. trees: assembled trees, for hard links on the file
 * system of objects. links: where a symbolic link <profile> to the tree in use is kept; NULL for
 * none. The store's directories alt/, cache/, pins/ and tmp/ are made beside objects when they are
 * needed, on the same file system; so two stores must not have their objects side by side.
 *
 * Otherwise like vqemu_store_open(). Since 1.0.
 */
int vqemu_store_open_directories(const char *objects, const char *revisions, const char *trees,
                                 const char *links, uint32_t flags, vqemu_store **store,
                                 vqemu_error **error);

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_store *vqemu_store_ref(vqemu_store *store);

/** Release a reference; the last one closes the store. NULL is allowed. Since 1.0. */
void vqemu_store_unref(vqemu_store *store);

/**
 * Set the most objects that a manifest of this store may list, instead of
 * VQEMU_MANIFEST_DEFAULT_MAX_OBJECTS; 0 sets that again. Since 1.0.
 */
void vqemu_store_set_max_objects(vqemu_store *store, size_t max_objects);

/** The sum of the sizes of files that an import may have unless the caller says otherwise: 4 GiB.
 * Since 1.0. */
#define VQEMU_STORE_DEFAULT_MAX_IMPORT_SIZE 4294967296

/**
 * Set the most bytes that the files of an imported archive may have together, instead of
 * VQEMU_STORE_DEFAULT_MAX_IMPORT_SIZE; 0 sets that again. Since 1.0.
 */
void vqemu_store_set_max_import_size(vqemu_store *store, uint64_t bytes);

/**
 * Set how many threads a long operation of this handle may use, the calling one included; at first
 * 1. 0 counts as 1, and more than 64 as 64. The threads have all signals blocked, and have ended
 * when the operation returns; callbacks come from the calling thread alone. Since 1.0.
 */
void vqemu_store_set_threads(vqemu_store *store, uint32_t threads);

/**
 * List the revisions of one profile, or of all if profile is NULL: grouped by profile, in each the
 * newest first. Files of refs/ that do not have the form of a revision are passed over; a revision
 * whose manifest cannot be loaded is listed with vqemu_revision_problem(), last of its profile. The
 * caller frees *list with vqemu_revision_list_free().
 *
 * Errors: VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_store_list_revisions(vqemu_store *store, const char *profile, vqemu_revision_list **list,
                               vqemu_error **error);

/**
 * Find the newest revision of a profile: the one with the latest "created_at"; of several with the
 * same time the one whose name sorts last. The caller releases *revision with
 * vqemu_revision_unref().
 *
 * Errors: VQEMU_ERR_NOT_FOUND (the profile has no revision here), VQEMU_ERR_MALFORMED (one of its
 * revisions is broken, so that which one is the newest cannot be told), VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_store_newest_revision(vqemu_store *store, const char *profile, vqemu_revision **revision,
                                vqemu_error **error);

/**
 * Find a revision by its name, such as "kvm-linux-8e1e73bc". The caller releases *revision with
 * vqemu_revision_unref().
 *
 * Errors: VQEMU_ERR_INVALID (not the form of a revision name), VQEMU_ERR_NOT_FOUND,
 * VQEMU_ERR_MALFORMED, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_store_find_revision(vqemu_store *store, const char *name, vqemu_revision **revision,
                              vqemu_error **error);

/**
 * What a build says of itself in its manifest, beyond what is found in the directory. All is
 * optional. Mutable, one owner, one thread at a time. Since 1.0.
 */
typedef struct vqemu_build_info vqemu_build_info;

/** Make an empty one. The caller frees it with vqemu_build_info_free(). Since 1.0. */
int vqemu_build_info_new(vqemu_build_info **info, vqemu_error **error);

/**
 * Set "created_at", an RFC 3339 time, instead of the current time. Errors: VQEMU_ERR_INVALID,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_build_info_set_created_at(vqemu_build_info *info, const char *time, vqemu_error **error);

/** Set "qemu_version". Errors: VQEMU_ERR_INVALID (not UTF-8), VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_build_info_set_qemu_version(vqemu_build_info *info, const char *version,
                                      vqemu_error **error);

/** Set "build_date". Errors: VQEMU_ERR_INVALID (not UTF-8), VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_build_info_set_build_date(vqemu_build_info *info, const char *date, vqemu_error **error);

/** Set "build_host". Errors: VQEMU_ERR_INVALID (not UTF-8), VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_build_info_set_build_host(vqemu_build_info *info, const char *host, vqemu_error **error);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_build_info_free(vqemu_build_info *info);

/**
 * Put a directory tree into the store as a new version of a profile: hash its files, publish those
 * the store does not have yet, and write a revision.
 *
 * profile: the name of a profile of the table. directory: has bin/, with at least one
 * bin/qemu-system-*, and as a rule lib/ and firmware/. Symbolic links to regular files inside the
 * directory are stored as the file; anything else that is not a file or directory is refused. info
 * may be NULL. progress may be NULL; userdata is handed to it.
 *
 * The new revision is the newest of its profile, even if the clock was set back: unless info sets a
 * "created_at", it gets the current time, or one just after that of the newest revision. If that
 * already has exactly this content and description, it is returned instead of a new one.
 *
 * Everything that was published is on stable storage before the revision appears. On failure, the
 * revision does not; objects that were complete by then may stay, and are found by the next build.
 * On success the caller releases *revision with vqemu_revision_unref().
 *
 * Errors: VQEMU_ERR_INVALID (unknown profile; a file name that a manifest cannot hold; no program),
 * VQEMU_ERR_UNSUPPORTED (a device, socket or link out of the directory), VQEMU_ERR_CHANGED,
 * VQEMU_ERR_READ_ONLY, VQEMU_ERR_CANCELLED, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_store_build(vqemu_store *store, const char *profile, const char *directory,
                      const vqemu_build_info *info, vqemu_step_fn progress, void *userdata,
                      vqemu_revision **revision, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
