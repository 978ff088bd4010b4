/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_INGEST_H
#define VOLT_QEMU_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/closure.h>
#include <volt-qemu/error.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/store.h>
#include <volt-qemu/trust.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what is said of it ---- */

/**
 * What is said of a profile that is put into a store, beyond what is found in its files. Mutable,
 * one owner, one thread at a time. Since 1.0.
 */
typedef struct vqemu_ingest_options vqemu_ingest_options;

/** Whose version it is: the name of a profile. Since 1.0. */
#define VQEMU_INGEST_PROFILE "profile"

/** An RFC 3339 time, such as 2025-01-31T10:00:00Z, instead of the current one, and at most a day
 * from now. Since 1.0. */
#define VQEMU_INGEST_CREATED_AT "created_at"

/** Of vqemu_store_import() and others that take what has a manifest: the SHA-256 that this must
 * have, 64 lower case hex digits: that of vqemu_revision_digest() where it was exported, which came
 * another way. A directory has none before it is stored: vqemu_store_ingest() refuses it.
 * Since 1.0. */
#define VQEMU_INGEST_DIGEST "digest"

/** The version of QEMU. Any text. Since 1.0. */
#define VQEMU_INGEST_QEMU_VERSION "qemu_version"

/** When QEMU was built. Any text. Since 1.0. */
#define VQEMU_INGEST_BUILD_DATE "build_date"

/** Where QEMU was built. Any text. Since 1.0. */
#define VQEMU_INGEST_BUILD_HOST "build_host"

/** What the profile is for, in one line for people. Since 1.0. */
#define VQEMU_INGEST_DESCRIPTION "description"

/** Of a profile that is not one of the library's own (vqemu_profile_find()): the accelerator it
 * runs guests with, "kvm" or "tcg". Such a profile needs this and VQEMU_INGEST_GUESTS, and a name
 * of at most 63 lower case letters, digits and "-", without eight hex digits behind the last "-".
 * Since 1.0. */
#define VQEMU_INGEST_ACCEL "accel"

/** Of such a profile: what it can do, names of vqemu_ability_name() separated by commas. Unset:
 * what its files have for all of its guests (vqemu_closure_has_ability()); nothing where that
 * cannot be told. Since 1.0. */
#define VQEMU_INGEST_ABILITIES "abilities"

/** Of such a profile: the guest architectures it serves, names of vqemu_guest_arch_at() separated
 * by commas. Under KVM these are served on hosts whose KVM runs them. Since 1.0. */
#define VQEMU_INGEST_GUESTS "guests"

/** Make empty ones. The caller frees *options with vqemu_ingest_options_free(). Errors:
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_ingest_options_new(vqemu_ingest_options **options, vqemu_error **error);

/**
 * Set a value by its key, one of the macros above; NULL unsets it. Errors: VQEMU_ERR_UNKNOWN_KEY,
 * VQEMU_ERR_INVALID (no such time or digest; reason "from-the-future"; reason "not-a-choice": no
 * such accelerator, ability or guest architecture; not UTF-8), VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_ingest_options_set_string(vqemu_ingest_options *options, const char *key,
                                    const char *value, vqemu_error **error);

/**
 * Of vqemu_store_import(), vqemu_store_import_layout() and vqemu_store_pull(): by whom it must be
 * signed, beside those of vqemu_store_options_set_trust(); NULL, the default, for nobody. It is
 * found out before anything of it is taken: VQEMU_ERR_UNTRUSTED. A directory cannot be signed
 * before it is stored: vqemu_store_ingest() refuses it. The options take a reference. Errors:
 * VQEMU_ERR_USAGE. Since 1.0.
 */
int vqemu_ingest_options_set_trust(vqemu_ingest_options *options, vqemu_trust *trust,
                                   vqemu_error **error);

/** Free them. NULL is allowed. Since 1.0. */
void vqemu_ingest_options_free(vqemu_ingest_options *options);

/* ---- a directory ---- */

/** Flags for putting a directory into a store. Since 1.0. */
enum vqemu_ingest_flag {
    /**
     * Refuse a profile whose closure has problems (vqemu_closure_problem_count()): before anything
     * of it is published. For who packs profiles for others. Not the default, since a profile can
     * be meant to take the host's libraries, or to be completed later, and since programs that are
     * no ELF files cannot be looked into.
     */
    VQEMU_INGEST_WHOLE = 1
};

/** What was put into a store. Immutable, one owner. Since 1.0. */
typedef struct vqemu_ingest vqemu_ingest;

/**
 * Put a directory tree into the store as a new revision of a profile: hash its files, publish those
 * the store does not have yet, and write the manifest.
 *
 * directory: has bin/, with at least one bin/qemu-system-*, and as a rule lib/ and firmware/.
 * Symbolic links to regular files inside the directory are stored as the file; anything else that
 * is not a file or directory is refused. options: with VQEMU_INGEST_PROFILE. flags: an OR of
 * enum vqemu_ingest_flag. call: may be NULL; its progress has the step "hash".
 *
 * What its files ask for, and what of it is not there, is found out: vqemu_ingest_closure().
 *
 * The new revision is the newest of its profile, even if the clock was set back, and whatever time
 * of creation the options set. If the newest already has exactly this content and description, and
 * options set no time, it is returned instead of a new one.
 *
 * Everything that was published is on stable storage before the revision appears. On failure, the
 * revision does not; objects that were complete by then may stay, and are found by the next
 * attempt. On success the caller frees *ingest with vqemu_ingest_free().
 *
 * Errors: VQEMU_ERR_INVALID (unknown or missing profile; a file name that a manifest cannot hold;
 * no program; reason "not-whole": VQEMU_INGEST_WHOLE), VQEMU_ERR_UNSUPPORTED (a device, socket or
 * link out of the directory), VQEMU_ERR_UNTRUSTED (options have a trust),
 * VQEMU_ERR_CHANGED, VQEMU_ERR_NOT_FOUND (no such directory; reason "link-broken"),
 * VQEMU_ERR_READ_ONLY, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY, VQEMU_ERR_NO_STORE
 * (it was removed), VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread.
 * Since 1.0.
 */
int vqemu_store_ingest(vqemu_store *store, const char *directory,
                       const vqemu_ingest_options *options, uint32_t flags, vqemu_call *call,
                       vqemu_ingest **ingest, vqemu_error **error);

/* ---- the result ---- */

/** The revision. Borrowed. Since 1.0. */
vqemu_revision *vqemu_ingest_revision(const vqemu_ingest *ingest);

/** Whether the store did not have the revision before. Since 1.0. */
bool vqemu_ingest_is_new(const vqemu_ingest *ingest);

/**
 * The name of the revision of its profile that vqemu_resolve() takes now: that of
 * vqemu_ingest_revision(), or of another one, which was set by vqemu_store_set_current(), or came
 * after this one, which the store had already. NULL if that cannot be told, since one of the
 * profile is broken. Borrowed. Since 1.0.
 */
const char *vqemu_ingest_current(const vqemu_ingest *ingest);

/**
 * The revision that vqemu_resolve() took of the profile until vqemu_ingest_revision() came and took
 * its place. It may say that it was created later than that one: then an older version is used from
 * now on, and vqemu_store_set_current() goes back. NULL if there was none, or none was displaced.
 * Borrowed. Since 1.0.
 */
vqemu_revision *vqemu_ingest_displaced(const vqemu_ingest *ingest);

/** What the files of the directory or archive ask for and can do, and what of it is not there; NULL
 * where a revision was copied, which vqemu_store_check() looks into. Borrowed. Since 1.0. */
const vqemu_closure *vqemu_ingest_closure(const vqemu_ingest *ingest);

/** How many objects (files) the revision lists. Since 1.0. */
size_t vqemu_ingest_object_count(const vqemu_ingest *ingest);

/** How many bytes these have together. Since 1.0. */
uint64_t vqemu_ingest_bytes(const vqemu_ingest *ingest);

/** How many objects the store did not have, or had damaged. Since 1.0. */
size_t vqemu_ingest_new_object_count(const vqemu_ingest *ingest);

/** How many bytes these have together. Since 1.0. */
uint64_t vqemu_ingest_new_bytes(const vqemu_ingest *ingest);

/** Free it. NULL is allowed. Since 1.0. */
void vqemu_ingest_free(vqemu_ingest *ingest);

#ifdef __cplusplus
}
#endif

#endif
