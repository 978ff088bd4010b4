/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_RUNTIME_H
#define VOLT_QEMU_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/profile.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/selection.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A profile on disk, ready to run: its tree, and the paths in it that a command needs.
 *
 * Immutable and reference counted; any number of threads may use it. It does not need its store and
 * selection any more. While one that came from a store lives, it holds a lease on its tree; see
 * vqemu_runtime_lease_fd(). Since 1.0.
 */
typedef struct vqemu_runtime vqemu_runtime;

/** Flags for resolving. Since 1.0. */
enum vqemu_resolve_flag {
    /** Read and hash every file of a tree that is already assembled, and every object of one that
     * is not, instead of trusting inodes, sizes and times. */
    VQEMU_RESOLVE_VERIFY = 1,
    /** Use a tree that was once assembled whole without looking at its files. */
    VQEMU_RESOLVE_TRUST = 2
};

/**
 * Put a revision of the selected profile on disk and return it: the given one, or with NULL the
 * newest.
 *
 * A tree that is already assembled is used again after each of its files and directories was looked
 * at: same inode, size, mode and time of last change as when it was assembled. If one is missing or
 * was altered, the tree is assembled anew. Where that cannot be, as in a copy of a store on a
 * read-only file system, with other inodes and times, its content is read and hashed instead, and
 * decides; so it does with VQEMU_RESOLVE_VERIFY. Assembling hashes an object before use, unless
 * this library wrote and hashed it before and it is still the same inode of the same size, with the
 * time that the library gave it. It is atomic and durable: a tree appears whole or not at all,
 * however many processes and threads ask for it at once. The link <profile> beside the trees is
 * switched to it, and stays so after a power cut; not so for a revision that was given.
 *
 * Files are hard links to objects where that can be, else reflinks or copies; see
 * vqemu_runtime_list_placements().
 *
 * flags: an OR of enum vqemu_resolve_flag. call: may be NULL; its progress has the steps "verify"
 * and "assemble", in files. On success the caller releases *runtime with vqemu_runtime_unref().
 *
 * Errors: VQEMU_ERR_NO_REVISION (the store has none of the profile, or the revision was removed),
 * VQEMU_ERR_NO_PROGRAM (it has no program for the guest architecture), VQEMU_ERR_INVALID (the
 * revision is of another profile; reason "other-store": of another store), VQEMU_ERR_MALFORMED
 * (broken manifest), VQEMU_ERR_CORRUPT (an object is missing or damaged; the message names it and
 * the path it was for), VQEMU_ERR_READ_ONLY (the tree is not assembled, and the handle or the file
 * system is read-only), VQEMU_ERR_UNSUPPORTED (trees are on a file system mounted noexec),
 * VQEMU_ERR_CHANGED (the revision's file was replaced meanwhile), VQEMU_ERR_REFUSED (reason
 * "untrusted-store": the trees, a manifest, an object, or the file that says which revision is
 * used, is another user's, or others may write to it), VQEMU_ERR_UNTRUSTED
 * (vqemu_store_options_set_trust()), VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY (a
 * lock; reason "in-use": the tree was altered, and is in use on a file system that cannot rename
 * it, such as overlay), VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_resolve(vqemu_store *store, const vqemu_selection *selection,
                  const vqemu_revision *revision, uint32_t flags, vqemu_call *call,
                  vqemu_runtime **runtime, vqemu_error **error);

/* ---- by hand ---- */

/** Where a QEMU and what belongs to it is, by keys. One owner, one thread at a time. Since 1.0. */
typedef struct vqemu_runtime_options vqemu_runtime_options;

/** The path of the QEMU program. Must be set. Since 1.0. */
#define VQEMU_RUNTIME_BINARY "binary"

/** The directory of its firmware, for -L. Must be set. Since 1.0. */
#define VQEMU_RUNTIME_FIRMWARE_DIR "firmware_dir"

/** The directory of its own shared libraries. Not set: those of the host. Since 1.0. */
#define VQEMU_RUNTIME_LIB_DIR "lib_dir"

/** The directory of its loadable modules. Not set: none. Since 1.0. */
#define VQEMU_RUNTIME_MODULE_DIR "module_dir"

/** The dynamic loader to run the program with; it needs a lib_dir. Not set: the program itself is
 * run, with LD_LIBRARY_PATH if there is a lib_dir. Since 1.0. */
#define VQEMU_RUNTIME_LOADER "loader"

/** Make options in which nothing is set. The caller frees *options with
 * vqemu_runtime_options_free(). Errors: VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_runtime_options_new(vqemu_runtime_options **options, vqemu_error **error);

/** Set a string by its key, one of the macros above: an absolute path, which is copied. NULL unsets
 * it. Errors: VQEMU_ERR_UNKNOWN_KEY, VQEMU_ERR_INVALID (not absolute), VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_runtime_options_set_string(vqemu_runtime_options *options, const char *key,
                                     const char *value, vqemu_error **error);

/** Free options. NULL is allowed. Since 1.0. */
void vqemu_runtime_options_free(vqemu_runtime_options *options);

/**
 * Describe a runtime by hand, without a store: for tests, dry runs, and hosts that assemble in
 * another way. Nothing is looked up on disk. It keeps nothing of the options. What it is to a VM
 * that says what it runs on, the selection tells: its profile and guest architecture, whatever the
 * program is. flags: 0. On success
 * the caller releases *runtime with vqemu_runtime_unref().
 *
 * Errors: VQEMU_ERR_INVALID (a path is missing, or a loader without a lib_dir), VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_runtime_new(const vqemu_selection *selection, const vqemu_runtime_options *options,
                      uint32_t flags, vqemu_runtime **runtime, vqemu_error **error);

/* ---- life and access ---- */

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_runtime *vqemu_runtime_ref(vqemu_runtime *runtime);

/** Release a reference; the last one ends the lease. NULL is allowed. Since 1.0. */
void vqemu_runtime_unref(vqemu_runtime *runtime);

/** The profile. Borrowed: a caller that keeps it takes a reference. NULL for NULL. Since 1.0. */
vqemu_profile *vqemu_runtime_profile(const vqemu_runtime *runtime);

/** The guest architecture. Borrowed. Since 1.0. */
const char *vqemu_runtime_guest_arch(const vqemu_runtime *runtime);

/** The absolute path of the QEMU program. Borrowed. Since 1.0. */
const char *vqemu_runtime_binary(const vqemu_runtime *runtime);

/** The absolute path of the firmware directory. Borrowed. Since 1.0. */
const char *vqemu_runtime_firmware_dir(const vqemu_runtime *runtime);

/** The absolute path of the directory of shared libraries; NULL if the profile has none. Borrowed.
 * Since 1.0. */
const char *vqemu_runtime_lib_dir(const vqemu_runtime *runtime);

/** The absolute path of the directory of QEMU's modules; NULL if the profile has none. Borrowed.
 * Since 1.0. */
const char *vqemu_runtime_module_dir(const vqemu_runtime *runtime);

/** The absolute path of the profile's dynamic loader; NULL if the host's is used. Borrowed.
 * Since 1.0. */
const char *vqemu_runtime_loader(const vqemu_runtime *runtime);

/** The absolute path of the tree; NULL for a runtime described by hand. Borrowed. Since 1.0. */
const char *vqemu_runtime_tree(const vqemu_runtime *runtime);

/** The name of the revision the tree was made from; NULL for a runtime described by hand. Borrowed.
 * Since 1.0. */
const char *vqemu_runtime_revision_name(const vqemu_runtime *runtime);

/** The path of the file of that revision's manifest; NULL for a runtime described by hand, and for
 * that of a command that was loaded. Borrowed. Since 1.0. */
const char *vqemu_runtime_manifest_path(const vqemu_runtime *runtime);

/**
 * The digest of the profile: that of its manifest, in hex digits; do not size buffers by it. NULL
 * for a runtime described by hand. Borrowed. Since 1.0.
 */
const char *vqemu_runtime_digest(const vqemu_runtime *runtime);

/**
 * The lease: a descriptor of the tree's directory with a shared flock(2). The tree is not removed
 * while any process has this open file description, so let QEMU inherit it: dup(2) it in the child,
 * which clears close-on-exec, before execve(2). -1 for a runtime described by hand. Borrowed: do
 * not close or unlock it. Since 1.0.
 */
int vqemu_runtime_lease_fd(const vqemu_runtime *runtime);

/** How the files of a tree were made from objects. Immutable, one owner. Since 1.0. */
typedef struct vqemu_placement_list vqemu_placement_list;

/**
 * Tell for each file of the tree how it was made, and if it is no hard link, why. flags: 0. The
 * caller frees *list with vqemu_placement_list_free().
 *
 * Errors: VQEMU_ERR_INVALID (a runtime described by hand), VQEMU_ERR_CORRUPT (the tree's stamp was
 * altered), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_runtime_list_placements(const vqemu_runtime *runtime, uint32_t flags,
                                  vqemu_placement_list **list, vqemu_error **error);

/** How many files the list holds. Since 1.0. */
size_t vqemu_placement_list_count(const vqemu_placement_list *list);

/** The path of a file, relative to the tree; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_placement_list_path(const vqemu_placement_list *list, size_t index);

/**
 * How it was made: "link", "reflink", "copy_file_range", "copy", or "new" for an empty file; NULL
 * beyond the count. Static. Since 1.0.
 */
const char *vqemu_placement_list_how(const vqemu_placement_list *list, size_t index);

/**
 * Why it is not a hard link to the object itself, for people; NULL if it is, and beyond the count.
 * Static. Since 1.0.
 */
const char *vqemu_placement_list_message(const vqemu_placement_list *list, size_t index);

/** Free the list. NULL is allowed. Since 1.0. */
void vqemu_placement_list_free(vqemu_placement_list *list);

#ifdef __cplusplus
}
#endif

#endif
