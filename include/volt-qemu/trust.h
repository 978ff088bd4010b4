/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_TRUST_H
#define VOLT_QEMU_TRUST_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * By whom profiles must be signed: public keys, and a function of the program's own.
 *
 * A signature is one of a revision's manifest, byte for byte, which names every file by its digest:
 * so it is good for the revision in the store, in archives and in OCI layouts. One good signature
 * by one of the keys is enough. What is not trusted gives VQEMU_ERR_UNTRUSTED, with the details
 * VQEMU_DETAIL_SIGNERS and VQEMU_DETAIL_TRUSTED and these reasons:
 *
 *     unsigned          it has no signature
 *     untrusted-key     it is signed by keys that are not trusted
 *     bad-signature     it has a signature that does not fit, or that cannot be verified
 *     no-key            nothing is trusted
 *     verifier-refuses  the function says no
 *
 * A signature tells who made a revision, not that it is the newest: docs/security.md.
 *
 * A store is opened with one by vqemu_store_options_set_trust(); one import has one by
 * vqemu_ingest_options_set_trust(); vqemu_store_verify_revision() asks about one revision.
 *
 * Reference counted. Set it up before it is used; after that only the references may be touched,
 * from any thread. Since 1.0.
 */
typedef struct vqemu_trust vqemu_trust;

/** Make one that trusts nobody. The caller releases *trust with vqemu_trust_unref(). Errors:
 * VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0. */
int vqemu_trust_new(vqemu_trust **trust, vqemu_error **error);

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_trust *vqemu_trust_ref(vqemu_trust *trust);

/** Release a reference; the last one frees it. NULL is allowed. Since 1.0. */
void vqemu_trust_unref(vqemu_trust *trust);

/* ---- keys ---- */

/**
 * Add the public keys of a text, as these tools write them: signify and minisign (a file of a
 * comment and a key, or the key alone), OpenSSL (PEM, "BEGIN PUBLIC KEY"), SSH (a line of a .pub
 * file, or lines of allowed signers, of which namespaces="volt-qemu" is the only option known).
 * Several may stand in one text, so that keys can follow each other; blank lines and those that
 * begin with "#" are passed over. All are of Ed25519.
 *
 * text: of size bytes, at most 64 KiB. source stands for it in messages, such as its path; it may
 * be NULL. A key that is there already is not added again; at most 64 can be. On failure none of
 * the text is added. flags: 0. The first call loads libhogweed.
 *
 * Errors: VQEMU_ERR_MALFORMED (reason "bad-key": no key), VQEMU_ERR_UNSUPPORTED (reason "key-kind":
 * a key of another kind, or for less than this; reason "library-missing"), VQEMU_ERR_INVALID
 * (reason "secret-key": that belongs to its owner alone; reason "too-many-keys"), VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_trust_add_key(vqemu_trust *trust, const char *text, size_t size, const char *source,
                        uint32_t flags, vqemu_error **error);

/** The same from a file. Errors: those of vqemu_trust_add_key(), VQEMU_ERR_NOT_FOUND,
 * VQEMU_ERR_SYSTEM, VQEMU_ERR_INVALID (not a regular file). Since 1.0. */
int vqemu_trust_add_key_file(vqemu_trust *trust, const char *path, uint32_t flags,
                             vqemu_error **error);

/** How many keys there are. Since 1.0. */
size_t vqemu_trust_key_count(const vqemu_trust *trust);

/** Of which tool a key is: "signify" (minisign's too), "openssl" or "ssh"; NULL beyond the count.
 * Signatures of one tool are not good by keys of another. Static. Since 1.0. */
const char *vqemu_trust_key_kind(const vqemu_trust *trust, size_t index);

/**
 * By what people tell it from others; NULL beyond the count. Of signify and minisign: its number,
 * in the 16 hex digits that minisign shows; of SSH: "SHA256:...", as "ssh-keygen -l" shows; of
 * OpenSSL: the SHA-256 of the key in DER, in hex. Borrowed. Since 1.0.
 */
const char *vqemu_trust_key_id(const vqemu_trust *trust, size_t index);

/** What its text says of it, a comment or a signer's name; NULL for nothing, and beyond the count.
 * Borrowed. Since 1.0. */
const char *vqemu_trust_key_name(const vqemu_trust *trust, size_t index);

/* ---- a function of the program's own ---- */

/** What there is to judge a revision by. It lives for the duration of the function only. Since 1.0.
 */
typedef struct vqemu_evidence vqemu_evidence;

/** What a verifier says. Since 1.0. */
enum vqemu_verdict {
    /** Nothing: the keys decide. */
    VQEMU_VERDICT_UNKNOWN = 0,
    /** It is trusted, whatever the keys say. */
    VQEMU_VERDICT_TRUSTED = 1,
    /** It is not, whatever the keys say; so does every other number. */
    VQEMU_VERDICT_REFUSED = 2
};

/**
 * Says whether a revision is trusted, one of enum vqemu_verdict: for signatures of other tools,
 * such as cosign or gpg, and for rules of one's own. Called from the thread that made the call,
 * after the keys were tried. It must return: not leave by longjmp(3) or an exception. It may use
 * the library, but not the store that is being called. Since 1.0.
 */
typedef int (*vqemu_verifier_fn)(const vqemu_evidence *evidence, void *userdata);

/** Have it asked; NULL for nobody. userdata must be there as long as the trust is, to which options
 * and stores keep references. Errors: VQEMU_ERR_USAGE. Since 1.0. */
int vqemu_trust_set_verifier(vqemu_trust *trust, vqemu_verifier_fn function, void *userdata,
                             vqemu_error **error);

/** What is judged, for people: "the archive x.tar". Borrowed. Since 1.0. */
const char *vqemu_evidence_source(const vqemu_evidence *evidence);

/** Of which profile it is to be a revision. Borrowed. Since 1.0. */
const char *vqemu_evidence_profile_name(const vqemu_evidence *evidence);

/** The text of the manifest, which is what is signed; *size, which may be NULL: its bytes, behind
 * which there is a NUL. Borrowed. Since 1.0. */
const char *vqemu_evidence_manifest(const vqemu_evidence *evidence, size_t *size);

/** The digest of the manifest, in hex. Borrowed. Since 1.0. */
const char *vqemu_evidence_digest(const vqemu_evidence *evidence);

/** The digest of the OCI manifest that it came by, "sha256:...", which cosign and notation sign;
 * NULL where it came by none. Borrowed. Since 1.0. */
const char *vqemu_evidence_oci_digest(const vqemu_evidence *evidence);

/** The index of a key, in the trust, that has made a good signature; -1 for none. Since 1.0. */
int32_t vqemu_evidence_key(const vqemu_evidence *evidence);

/** How many signatures it has, of whatever kind. Since 1.0. */
size_t vqemu_evidence_signature_count(const vqemu_evidence *evidence);

/** A signature, byte for byte; *size, which may be NULL: its bytes. NULL beyond the count.
 * Borrowed. Since 1.0. */
const char *vqemu_evidence_signature(const vqemu_evidence *evidence, size_t index, size_t *size);

#ifdef __cplusplus
}
#endif

#endif
