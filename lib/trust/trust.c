/* SPDX-License-Identifier: MIT */
#include "trust/trust.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "trust/signature.h"
#include "util/export.h"
#include "util/strbuf.h"
#include "util/word.h"

#define KEYS_TOLD_MAX 8

struct vqemu_trust {
    atomic_uint references;
    struct public_keys keys;
    ed25519_verify_fn verify; /* NULL before the first key */
    vqemu_verifier_fn verifier;
    void *userdata;
};

/* ---- whom to trust ---- */

VQEMU_EXPORT int vqemu_trust_new(vqemu_trust **trust, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(trust, error);
    *trust = calloc(1, sizeof **trust);
    if (!*trust)
        return error_no_memory(error);
    atomic_init(&(*trust)->references, 1);
    return 0;
}

VQEMU_EXPORT vqemu_trust *vqemu_trust_ref(vqemu_trust *trust) {
    if (trust)
        atomic_fetch_add_explicit(&trust->references, 1, memory_order_relaxed);
    return trust;
}

VQEMU_EXPORT void vqemu_trust_unref(vqemu_trust *trust) {
    if (!trust || atomic_fetch_sub_explicit(&trust->references, 1, memory_order_acq_rel) != 1)
        return;
    public_keys_release(&trust->keys);
    free(trust);
}

static int add_keys(vqemu_trust *trust, const char *text, size_t size, const char *source,
                    vqemu_error **error) {
    int r = trust->verify ? 0 : ed25519_load(&trust->verify, error);
    return r == 0 ? public_keys_add_text(&trust->keys, text, size, source, error) : r;
}

VQEMU_EXPORT int vqemu_trust_add_key(vqemu_trust *trust, const char *text, size_t size,
                                     const char *source, uint32_t flags, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(trust, error);
    REQUIRE_ARGUMENT(text, error);
    REQUIRE_FLAGS(flags, 0, error);
    return add_keys(trust, text, size, source ? source : "the key", error);
}

VQEMU_EXPORT int vqemu_trust_add_key_file(vqemu_trust *trust, const char *path, uint32_t flags,
                                          vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(trust, error);
    REQUIRE_ARGUMENT(path, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = json_open_file(path, &fd, error);
    if (r == 0)
        r = json_read_fd(fd, path, KEY_TEXT_MAX, &text, &size, error);
    return r == 0 ? add_keys(trust, text, size, path, error) : r;
}

VQEMU_EXPORT int vqemu_trust_set_verifier(vqemu_trust *trust, vqemu_verifier_fn function,
                                          void *userdata, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(trust, error);
    trust->verifier = function;
    trust->userdata = userdata;
    return 0;
}

static const struct public_key *key_at(const vqemu_trust *trust, size_t index) {
    return trust && index < trust->keys.count ? &trust->keys.keys[index] : NULL;
}

VQEMU_EXPORT size_t vqemu_trust_key_count(const vqemu_trust *trust) {
    return trust ? trust->keys.count : 0;
}

VQEMU_EXPORT const char *vqemu_trust_key_kind(const vqemu_trust *trust, size_t index) {
    const struct public_key *key = key_at(trust, index);
    return key ? key_kind_name(key->kind) : NULL;
}

VQEMU_EXPORT const char *vqemu_trust_key_id(const vqemu_trust *trust, size_t index) {
    const struct public_key *key = key_at(trust, index);
    return key ? key->id : NULL;
}

VQEMU_EXPORT const char *vqemu_trust_key_name(const vqemu_trust *trust, size_t index) {
    const struct public_key *key = key_at(trust, index);
    return key ? null_if_empty(key->name) : NULL;
}

/* ---- what is found of signatures ---- */

struct findings {
    struct strbuf bad, unknown, signers; /* "ssh SHA256:..., signify 8F..." */
    const char *fault, *faulty;          /* of the first that cannot be verified, and its kind */
    bool bad_is_nameless;
};

static void release_findings(struct findings *findings) {
    strbuf_release(&findings->bad);
    strbuf_release(&findings->unknown);
    strbuf_release(&findings->signers);
}

static void add_name(struct strbuf *names, const char *kind, const char *id) {
    strbuf_addf(names, "%s%s%s%s", names->length > 0 ? ", " : "", kind, *id ? " " : "", id);
}

/* Whether one of the keys has made a signature: 1 with its number, 0 or -ENOMEM. */
static int find_key(const vqemu_trust *trust, const struct vqemu_evidence *evidence,
                    const struct signature *signature, int32_t *number) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < trust->keys.count; i++) {
        r = signature_verify(signature, &trust->keys.keys[i], trust->verify, evidence->text,
                             evidence->size);
        if (r == 1)
            *number = (int32_t)i;
    }
    return r;
}

/* Whether a signature is good: 1, 0 with what is with it, or -ENOMEM. */
static int judge(const vqemu_trust *trust, struct vqemu_evidence *evidence,
                 const struct signed_by *item, struct findings *findings) {
    struct signature signature;
    bool is_known = false;
    signature_read(item->bytes, item->size, &signature);
    const char *kind = signature_kind_name(signature.kind);
    if (signature.fault && !findings->fault) {
        findings->fault = signature.fault;
        findings->faulty = kind;
    }
    if (signature.fault)
        return 0;
    add_name(&findings->signers, kind, signature.id);
    int r = find_key(trust, evidence, &signature, &evidence->key);
    if (r != 0)
        return r;
    for (size_t i = 0; i < trust->keys.count; i++)
        is_known |= signature_may_be_by(&signature, &trust->keys.keys[i]);
    findings->bad_is_nameless |= is_known && !*signature.id;
    add_name(is_known ? &findings->bad : &findings->unknown, kind, signature.id);
    return 0;
}

static int look_for_good(const vqemu_trust *trust, struct vqemu_evidence *evidence,
                         struct findings *findings, vqemu_error **error) {
    const struct signature_set *set = evidence->signatures;
    int r = 0;
    for (size_t i = 0; r == 0 && i < set->count; i++)
        r = judge(trust, evidence, &set->items[i], findings);
    bool failed = findings->bad.failed || findings->unknown.failed || findings->signers.failed;
    return r < 0 || failed ? error_no_memory(error) : r;
}

/* ---- why not ---- */

static char *list_trusted(const vqemu_trust *trust) {
    struct strbuf names = {0};
    for (size_t i = 0; i < trust->keys.count && i < KEYS_TOLD_MAX; i++)
        add_name(&names, key_kind_name(trust->keys.keys[i].kind), trust->keys.keys[i].id);
    if (trust->keys.count > KEYS_TOLD_MAX)
        strbuf_addf(&names, " and %zu more", trust->keys.count - KEYS_TOLD_MAX);
    return strbuf_take(&names);
}

static int refuse(const struct vqemu_evidence *evidence, const char *reason, const char *signers,
                  const char *trusted, vqemu_error **error) {
    return error_because(VQEMU_ERR_UNTRUSTED, error, reason, VQEMU_DETAIL_PROFILE,
                         evidence->profile, VQEMU_DETAIL_SIGNERS, signers, VQEMU_DETAIL_TRUSTED,
                         trusted, NULL);
}

static int refuse_unsigned(const struct vqemu_evidence *evidence, const char *trusted,
                           vqemu_error **error) {
    error_set(error, VQEMU_ERR_UNTRUSTED, 0,
              "%s is not signed: what is trusted is signed by one of %s", evidence->source,
              trusted);
    return refuse(evidence, "unsigned", NULL, trusted, error);
}

static int refuse_bad(const struct vqemu_evidence *evidence, const struct findings *findings,
                      const char *trusted, vqemu_error **error) {
    if (findings->bad.length == 0)
        error_set(error, VQEMU_ERR_UNTRUSTED, 0,
                  "%s cannot be trusted: its signature, of the kind %s, %s", evidence->source,
                  findings->faulty, findings->fault);
    else if (findings->bad_is_nameless)
        error_set(error, VQEMU_ERR_UNTRUSTED, 0,
                  "%s cannot be trusted: its signature is by none of the trusted keys of openssl, "
                  "or its manifest or the signature was altered",
                  evidence->source);
    else
        error_set(error, VQEMU_ERR_UNTRUSTED, 0,
                  "%s cannot be trusted: its signature by %s is not one of this manifest, so one "
                  "of both was altered",
                  evidence->source, findings->bad.text);
    return refuse(evidence, "bad-signature", findings->signers.text, trusted, error);
}

static int refuse_unknown(const struct vqemu_evidence *evidence, const struct findings *findings,
                          const char *trusted, vqemu_error **error) {
    error_set(error, VQEMU_ERR_UNTRUSTED, 0, "%s is signed by %s, which is not trusted; that is %s",
              evidence->source, findings->unknown.text, trusted);
    return refuse(evidence, "untrusted-key", findings->signers.text, trusted, error);
}

static int explain(const vqemu_trust *trust, const struct vqemu_evidence *evidence,
                   const struct findings *findings, vqemu_error **error) {
    _cleanup_free_ char *trusted = list_trusted(trust);
    if (!trusted)
        return error_no_memory(error);
    if (trust->keys.count == 0) {
        error_set(error, VQEMU_ERR_UNTRUSTED, 0,
                  "%s cannot be trusted: no key is trusted%s, so nothing is", evidence->source,
                  trust->verifier ? ", and the verifier does not know it" : "");
        return refuse(evidence, "no-key", findings->signers.text, NULL, error);
    }
    if (findings->bad.length > 0)
        return refuse_bad(evidence, findings, trusted, error);
    if (findings->unknown.length > 0)
        return refuse_unknown(evidence, findings, trusted, error);
    return findings->fault ? refuse_bad(evidence, findings, trusted, error)
                           : refuse_unsigned(evidence, trusted, error);
}

int trust_find_signer(const vqemu_trust *trust, const struct vqemu_evidence *evidence,
                      const struct signed_by *item, int32_t *key) {
    struct signature signature;
    *key = -1;
    signature_read(item->bytes, item->size, &signature);
    int r = signature.fault ? 0 : find_key(trust, evidence, &signature, key);
    return r < 0 ? r : 0;
}

int trust_check(const vqemu_trust *trust, struct vqemu_evidence *evidence, vqemu_error **error) {
    _cleanup_(release_findings) struct findings findings = {0};
    evidence->key = -1;
    int r = look_for_good(trust, evidence, &findings, error);
    if (r < 0)
        return r;
    int verdict =
        trust->verifier ? trust->verifier(evidence, trust->userdata) : (int)VQEMU_VERDICT_UNKNOWN;
    if (verdict == VQEMU_VERDICT_TRUSTED || (verdict == VQEMU_VERDICT_UNKNOWN && r == 1))
        return 0;
    if (verdict == VQEMU_VERDICT_UNKNOWN)
        return explain(trust, evidence, &findings, error);
    error_set(error, VQEMU_ERR_UNTRUSTED, 0, "%s cannot be trusted: the verifier refuses it",
              evidence->source);
    return refuse(evidence, "verifier-refuses", findings.signers.text, NULL, error);
}
