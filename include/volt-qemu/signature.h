/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_SIGNATURE_H
#define VOLT_QEMU_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>
#include <volt-qemu/revision.h>
#include <volt-qemu/store.h>
#include <volt-qemu/trust.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Signatures of revisions. What is signed is the text of the manifest, which is the file
 * vqemu_revision_path(), by one of these commands or what writes the same:
 *
 *     signify -S -s KEY.sec -m FILE -x FILE.sig
 *     minisign -S -l -s KEY.sec -m FILE -x FILE.sig
 *     openssl pkeyutl -sign -rawin -inkey KEY.pem -in FILE -out FILE.sig
 *     ssh-keygen -Y sign -n volt-qemu -f KEY FILE
 *
 * The library has no secret keys. Signatures go where the revision goes: copies, archives and OCI
 * layouts have them, byte for byte, and they are removed with it.
 */

/** Flags for adding a signature. Since 1.0. */
enum vqemu_signature_flag {
    /** Take also what the library cannot verify: for a verifier (vqemu_trust_set_verifier()). */
    VQEMU_SIGNATURE_ANY = 1
};

/**
 * Add a signature to a revision; one that it has already is not added again. It is on stable
 * storage when this returns.
 *
 * signature: of size bytes, 1 to 4,096; a revision can have 16. A store that was opened with
 * vqemu_store_options_set_trust() takes what that trusts; any other one, what looks like a
 * signature that it could verify by some key. flags: an OR of enum vqemu_signature_flag.
 *
 * Errors: VQEMU_ERR_INVALID (reason "not-a-signature"; reason "too-many-signatures"; reason
 * "other-store"), VQEMU_ERR_UNTRUSTED (see vqemu_trust), VQEMU_ERR_CHANGED (the revision's file is
 * not what was loaded), VQEMU_ERR_NO_REVISION (it was removed), VQEMU_ERR_READ_ONLY,
 * VQEMU_ERR_BUSY, VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_MALFORMED, VQEMU_ERR_REFUSED,
 * VQEMU_ERR_NO_STORE, VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread.
 * Since 1.0.
 */
int vqemu_store_add_signature(vqemu_store *store, const vqemu_revision *revision,
                              const char *signature, size_t size, uint32_t flags, vqemu_call *call,
                              vqemu_error **error);

/**
 * Remove a signature of a revision, also a damaged one. digest: that of
 * vqemu_signature_list_digest(). flags: 0.
 *
 * Errors: VQEMU_ERR_NOT_FOUND (reason "no-such-signature"), VQEMU_ERR_NO_REVISION (it was removed),
 * VQEMU_ERR_INVALID (no digest; reason "other-store"), VQEMU_ERR_READ_ONLY, VQEMU_ERR_BUSY,
 * VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE, VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_remove_signature(vqemu_store *store, const vqemu_revision *revision,
                                 const char *digest, uint32_t flags, vqemu_call *call,
                                 vqemu_error **error);

/**
 * Find out whether a revision may be trusted: at rest, whatever the store was opened with. flags:
 * 0. *key: the index of the key in trust whose signature is good; -1 where the verifier alone has
 * said so. That the objects are what the manifest says, vqemu_store_check() tells.
 *
 * Errors: VQEMU_ERR_UNTRUSTED (see vqemu_trust), VQEMU_ERR_CHANGED (the revision's file is not what
 * was loaded), VQEMU_ERR_INVALID (reason "other-store"; reason "too-many-signatures"),
 * VQEMU_ERR_NO_REVISION (it was removed), VQEMU_ERR_MALFORMED, VQEMU_ERR_REFUSED,
 * VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE, VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM,
 * VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_verify_revision(vqemu_store *store, const vqemu_revision *revision,
                                const vqemu_trust *trust, uint32_t flags, vqemu_call *call,
                                int32_t *key, vqemu_error **error);

/** The signatures of a revision. Immutable, one owner. Since 1.0. */
typedef struct vqemu_signature_list vqemu_signature_list;

/**
 * List the signatures of a revision, by their digests. Those whose files are damaged are left out,
 * and told to the log of the call. flags: 0. On success the caller frees *list with
 * vqemu_signature_list_free().
 *
 * Errors: VQEMU_ERR_NO_REVISION (it was removed), VQEMU_ERR_INVALID (reason "other-store"; reason
 * "too-many-signatures"), VQEMU_ERR_CANCELLED, VQEMU_ERR_TIMEOUT, VQEMU_ERR_NO_STORE,
 * VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread. Since 1.0.
 */
int vqemu_store_list_signatures(vqemu_store *store, const vqemu_revision *revision, uint32_t flags,
                                vqemu_call *call, vqemu_signature_list **list, vqemu_error **error);

/** How many there are. Since 1.0. */
size_t vqemu_signature_list_count(const vqemu_signature_list *list);

/** The SHA-256 of a signature, in hex, which is its name; NULL beyond the count. Borrowed.
 * Since 1.0. */
const char *vqemu_signature_list_digest(const vqemu_signature_list *list, size_t index);

/** A signature, byte for byte; *size, which may be NULL: its bytes. NULL beyond the count.
 * Borrowed. Since 1.0. */
const char *vqemu_signature_list_bytes(const vqemu_signature_list *list, size_t index,
                                       size_t *size);

/** Of which tool it is: "signify", "minisign", "openssl", "ssh", or "unknown"; NULL beyond the
 * count. Static. Since 1.0. */
const char *vqemu_signature_list_kind(const vqemu_signature_list *list, size_t index);

/** The key that it says it is by, as vqemu_trust_key_id() has it; NULL where it does not say, and
 * beyond the count. Whether it is, only a verification tells. Borrowed. Since 1.0. */
const char *vqemu_signature_list_key_id(const vqemu_signature_list *list, size_t index);

/** Why it cannot be verified, such as "is cut off or broken"; NULL if it can, and beyond the count.
 * Static. Since 1.0. */
const char *vqemu_signature_list_fault(const vqemu_signature_list *list, size_t index);

/** Free the list. NULL is allowed. Since 1.0. */
void vqemu_signature_list_free(vqemu_signature_list *list);

#ifdef __cplusplus
}
#endif

#endif
