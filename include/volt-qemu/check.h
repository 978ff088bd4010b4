/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_CHECK_H
#define VOLT_QEMU_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/closure.h>
#include <volt-qemu/error.h>
#include <volt-qemu/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a check of a store found. Immutable, one owner. Since 1.0. */
typedef struct vqemu_check vqemu_check;

/** Flags for checking. Since 1.0. */
enum vqemu_check_flag {
    /** Put right what can be put right. */
    VQEMU_CHECK_REPAIR = 1,
    /** Find out what the files of each revision ask for, and what of it is not in it:
     * vqemu_check_closure(). */
    VQEMU_CHECK_CLOSURE = 2
};

/**
 * Read and hash objects, and compare assembled trees with what they were.
 *
 * name: a revision or a profile, whose objects and trees are checked; NULL for all revisions,
 * objects and trees of the store. flags: an OR of enum vqemu_check_flag. call: may be NULL; its
 * threads share the work; its progress has the steps "verify", in objects, and then "repair",
 * "assemble".
 *
 * With VQEMU_CHECK_REPAIR, damaged and missing objects are replaced by good copies: those that the
 * store itself has (alt/, trees on another file system), and those of from, which is a directory
 * with files of any names, a tar archive, or the root of another store; NULL for none. Every copy
 * is hashed before it is used. Then trees that are not as they should be are assembled anew; one
 * that a running guest uses is set aside for it. What cannot be put right is left as it is.
 *
 * With VQEMU_CHECK_CLOSURE, each problem of a revision's closure is one of the check, too, of the
 * kind "closure"; nothing repairs it but another revision.
 *
 * Returns 0 if the check could be made, whatever it found: see vqemu_check_problem_count(). On
 * success the caller frees *check with vqemu_check_free().
 *
 * Errors: VQEMU_ERR_NO_REVISION (no such revision or profile in the store), VQEMU_ERR_INVALID (name
 * is the form of neither), VQEMU_ERR_REFUSED (reason "untrusted-store": the trees, the manifest of
 * the revision that was named, or the store that from is), VQEMU_ERR_NOT_FOUND (no such source),
 * VQEMU_ERR_NO_STORE (it was removed), VQEMU_ERR_USAGE (unknown flags; from without
 * VQEMU_CHECK_REPAIR), VQEMU_ERR_MALFORMED (the revision that was named, or the source, is broken),
 * VQEMU_ERR_READ_ONLY, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY, VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_check(vqemu_store *store, const char *name, uint32_t flags, const char *from,
                      vqemu_call *call, vqemu_check **check, vqemu_error **error);

/** How many objects were looked at. Since 1.0. */
size_t vqemu_check_object_count(const vqemu_check *check);

/** How many bytes were hashed. Since 1.0. */
uint64_t vqemu_check_bytes(const vqemu_check *check);

/** How many problems there were, those put right included. Since 1.0. */
size_t vqemu_check_problem_count(const vqemu_check *check);

/** How many problems are left. Since 1.0. */
size_t vqemu_check_unrepaired_count(const vqemu_check *check);

/**
 * What a problem is: "missing" or "damaged" (an object), "tree" (an assembled tree that was
 * altered), "revision" (a manifest that cannot be loaded), "closure" (something that a revision's
 * files need is not in it) or "signature" (one is damaged, or a revision is not signed as
 * vqemu_store_options_set_trust() asks for); NULL beyond the count. Static. Since 1.0.
 */
const char *vqemu_check_problem_kind(const vqemu_check *check, size_t problem);

/** The digest of the object, or of the tree's manifest; NULL for the others, and beyond
 * the count. Borrowed. Since 1.0. */
const char *vqemu_check_problem_digest(const vqemu_check *check, size_t problem);

/** One line for people, with the path of the file; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_check_problem_message(const vqemu_check *check, size_t problem);

/** Whether it was put right. Since 1.0. */
bool vqemu_check_problem_repaired(const vqemu_check *check, size_t problem);

/** In how many places an object is needed: a path of a revision each; for a closure, where it is
 * asked for. Since 1.0. */
size_t vqemu_check_place_count(const vqemu_check *check, size_t problem);

/** The name of the revision that needs it; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_check_place_revision_name(const vqemu_check *check, size_t problem, size_t place);

/** The path that it has there; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_check_place_path(const vqemu_check *check, size_t problem, size_t place);

/** How many revisions' closures were looked for: of all that were checked and can be loaded, with
 * VQEMU_CHECK_CLOSURE. Since 1.0. */
size_t vqemu_check_closure_count(const vqemu_check *check);

/** The name of such a revision; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_check_closure_revision_name(const vqemu_check *check, size_t closure);

/** What its files ask for, and what of it is not in it; NULL beyond the count. Borrowed. Since 1.0.
 */
const vqemu_closure *vqemu_check_closure(const vqemu_check *check, size_t closure);

/** How many processes run from trees that a problem touches, or hold them. Since 1.0. */
size_t vqemu_check_process_count(const vqemu_check *check, size_t problem);

/** The digest of such a tree's manifest; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_check_process_tree_name(const vqemu_check *check, size_t problem, size_t process);

/** The process; 0 for one that this process may not look into, or beyond the count. Since 1.0. */
int64_t vqemu_check_process_pid(const vqemu_check *check, size_t problem, size_t process);

/** Its name as in /proc/PID/comm; NULL if it is not known, and beyond the count. Borrowed.
 * Since 1.0. */
const char *vqemu_check_process_name(const vqemu_check *check, size_t problem, size_t process);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_check_free(vqemu_check *check);

#ifdef __cplusplus
}
#endif

#endif
