/* SPDX-License-Identifier: MIT */
#include "trust/signature.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "util/base64.h"
#include "util/cleanup.h"

#define COMMENT "untrusted comment:"
#define TRUSTED_COMMENT "trusted comment: "
#define SSH_BEGIN "-----BEGIN SSH SIGNATURE-----"
#define SSH_END "-----END SSH SIGNATURE-----"
#define SSH_MAGIC "SSHSIG"
#define SSH_DECODED_MAX 4096

const char *signature_kind_name(enum signature_kind kind) {
    static const char *const names[] = {[SIGNATURE_UNKNOWN] = "unknown",
                                        [SIGNATURE_SIGNIFY] = "signify",
                                        [SIGNATURE_MINISIGN] = "minisign",
                                        [SIGNATURE_OPENSSL] = "openssl",
                                        [SIGNATURE_SSH] = "ssh"};
    return names[kind];
}

/* ---- lines ---- */

struct span {
    const char *text;
    size_t size;
};

/* The next line, also one that lacks its end, without "\r"; false at the end. */
static bool take_line(struct span *rest, struct span *line) {
    if (rest->size == 0)
        return false;
    const char *end = memchr(rest->text, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->text) : rest->size;
    *line = (struct span){rest->text, size};
    if (size > 0 && line->text[size - 1] == '\r')
        line->size--;
    rest->text += size + (end != NULL);
    rest->size -= size + (end != NULL);
    return true;
}

static bool begins(const struct span *span, const char *start) {
    return span->size >= strlen(start) && memcmp(span->text, start, strlen(start)) == 0;
}

static bool is(const struct span *span, const char *text) {
    return span->size == strlen(text) && begins(span, text);
}

/* Whether there is nothing but ends of lines. */
static bool is_blank(const struct span *span) {
    for (size_t i = 0; i < span->size; i++)
        if (!strchr("\r\n", span->text[i]) || !span->text[i])
            return false;
    return true;
}

/* Whether a text is base64 of exactly so many bytes. */
static bool decode(const struct span *span, unsigned char *bytes, size_t size) {
    return base64_decode(span->text, span->size, bytes, size) == (ssize_t)size;
}

/* ---- signify and minisign ---- */

static void read_minisign(struct signature *signature, struct span *rest, const struct span *line) {
    static const size_t head = sizeof TRUSTED_COMMENT - 1;
    struct span global;
    signature->kind = SIGNATURE_MINISIGN;
    signature->fault = "is cut off, or has something behind its end";
    if (!begins(line, TRUSTED_COMMENT) || !take_line(rest, &global) ||
        !decode(&global, signature->comment.bytes, sizeof signature->comment.bytes) ||
        !is_blank(rest))
        return;
    signature->comment.text = line->text + head;
    signature->comment.size = line->size - head;
    signature->fault = NULL;
}

static void read_signify(struct signature *signature, struct span *rest) {
    unsigned char bytes[2 + KEY_NUMBER_BYTES + ED25519_SIGNATURE_BYTES];
    struct span line;
    signature->kind = SIGNATURE_SIGNIFY;
    signature->fault = "is cut off, or no signature of signify or minisign";
    if (!take_line(rest, &line) || !decode(&line, bytes, sizeof bytes))
        return;
    memcpy(signature->number, bytes + 2, KEY_NUMBER_BYTES);
    memcpy(signature->bytes, bytes + 2 + KEY_NUMBER_BYTES, ED25519_SIGNATURE_BYTES);
    key_number_to_text(signature->number, signature->id);
    if (memcmp(bytes, "ED", 2) == 0) {
        signature->kind = SIGNATURE_MINISIGN;
        signature->fault =
            "is one that minisign makes of a BLAKE2b hash: sign the file itself, minisign -S -l";
        return;
    }
    signature->fault = memcmp(bytes, "Ed", 2) != 0 ? "is of another algorithm than Ed25519" : NULL;
    if (!signature->fault && !is_blank(rest) && take_line(rest, &line))
        read_minisign(signature, rest, &line);
}

/* ---- OpenSSL: 64 bytes, or base64 of them ---- */

static bool read_openssl(struct signature *signature, const struct span *text) {
    if (text->size == ED25519_SIGNATURE_BYTES)
        memcpy(signature->bytes, text->text, ED25519_SIGNATURE_BYTES);
    else if (!decode(text, signature->bytes, sizeof signature->bytes))
        return false;
    signature->kind = SIGNATURE_OPENSSL;
    signature->fault = NULL;
    return true;
}

/* ---- SSH (PROTOCOL.sshsig of OpenSSH) ---- */

static const char *read_ssh_key(struct signature *signature, const struct wire *blob) {
    struct public_key key;
    if (!key_take_ssh(blob->at, blob->left, &key))
        return "is by a key of another kind than ssh-ed25519";
    memcpy(signature->ssh.key, key.bytes, sizeof key.bytes);
    memcpy(signature->id, key.id, sizeof key.id);
    return NULL;
}

/* Returns what is wrong with it. */
static const char *read_ssh_blob(struct signature *signature, struct wire wire) {
    static const char broken[] = "is cut off or broken";
    const unsigned char *magic, *bytes;
    struct wire key, namespace, reserved, hash, signed_by;
    uint32_t version;
    if (!wire_take(&wire, strlen(SSH_MAGIC), &magic) ||
        memcmp(magic, SSH_MAGIC, strlen(SSH_MAGIC)) != 0 || !wire_take_number(&wire, &version))
        return broken;
    if (version != 1)
        return "is of a version of SSH's signatures that is not known";
    if (!wire_take_string(&wire, &key) || !wire_take_string(&wire, &namespace) ||
        !wire_take_string(&wire, &reserved) || !wire_take_string(&wire, &hash) ||
        !wire_take_string(&wire, &signed_by) || wire.left > 0 || reserved.left > 0)
        return broken;
    const char *fault = read_ssh_key(signature, &key);
    if (fault)
        return fault;
    if (!wire_is(&namespace, SSH_NAMESPACE))
        return "is for another namespace: sign with ssh-keygen -Y sign -n " SSH_NAMESPACE;
    signature->ssh.is_sha512 = wire_is(&hash, "sha512");
    if (!signature->ssh.is_sha512 && !wire_is(&hash, "sha256"))
        return "is of a hash that is neither SHA-256 nor SHA-512";
    if (!wire_take_text(&signed_by, SSH_KEY_TYPE) ||
        !wire_take_bytes(&signed_by, ED25519_SIGNATURE_BYTES, &bytes) || signed_by.left > 0)
        return broken;
    memcpy(signature->bytes, bytes, ED25519_SIGNATURE_BYTES);
    return NULL;
}

static void read_ssh(struct signature *signature, struct span *rest) {
    unsigned char bytes[SSH_DECODED_MAX];
    struct span line = {rest->text, 0}, body = line;
    signature->kind = SIGNATURE_SSH;
    signature->fault = "is cut off, or has something behind its end";
    while (take_line(rest, &line) && !is(&line, SSH_END))
        body.size = (size_t)(line.text + line.size - body.text);
    if (!is(&line, SSH_END) || !is_blank(rest))
        return;
    ssize_t size = base64_decode(body.text, body.size, bytes, sizeof bytes);
    signature->fault =
        size > 0 ? read_ssh_blob(signature, (struct wire){bytes, (size_t)size}) : "is no base64";
}

/* ---- all of them ---- */

void signature_read(const void *bytes, size_t size, struct signature *signature) {
    struct span rest = {bytes, size}, line;
    *signature = (struct signature){.fault = "is of no kind that is known"};
    if (read_openssl(signature, &rest) || !take_line(&rest, &line))
        return;
    if (begins(&line, COMMENT))
        read_signify(signature, &rest);
    else if (is(&line, SSH_BEGIN))
        read_ssh(signature, &rest);
}

/* Of the keys that make such. */
static enum key_kind key_kind_of(enum signature_kind kind) {
    return kind == SIGNATURE_SSH ? KEY_SSH : kind == SIGNATURE_OPENSSL ? KEY_OPENSSL : KEY_SIGNIFY;
}

bool signature_may_be_by(const struct signature *signature, const struct public_key *key) {
    if (signature->kind == SIGNATURE_UNKNOWN || key->kind != key_kind_of(signature->kind))
        return false;
    return signature->kind == SIGNATURE_OPENSSL ||
           (signature->kind == SIGNATURE_SSH
                ? memcmp(signature->ssh.key, key->bytes, sizeof key->bytes) == 0
                : memcmp(signature->number, key->number, sizeof key->number) == 0);
}

/* What SSH signs in the place of a text. */
static void describe_for_ssh(const struct signature *signature, const char *text, size_t size,
                             struct strbuf *described) {
    unsigned char hash[SHA512_RAW_SIZE];
    if (signature->ssh.is_sha512)
        digest_sha512_of_bytes(text, size, hash);
    else
        digest_raw_of_bytes(text, size, hash);
    strbuf_add(described, SSH_MAGIC);
    wire_add_string(described, SSH_NAMESPACE, strlen(SSH_NAMESPACE));
    wire_add_string(described, "", 0);
    wire_add_string(described, signature->ssh.is_sha512 ? "sha512" : "sha256", strlen("sha512"));
    wire_add_string(described, hash, signature->ssh.is_sha512 ? SHA512_RAW_SIZE : DIGEST_RAW_SIZE);
}

static int verify_ssh(const struct signature *signature, const struct public_key *key,
                      ed25519_verify_fn verify, const char *text, size_t size) {
    _cleanup_strbuf_ struct strbuf described = {0};
    describe_for_ssh(signature, text, size, &described);
    return described.failed ? -ENOMEM
                            : verify(key->bytes, described.length,
                                     (const unsigned char *)described.text, signature->bytes);
}

static int verify_comment(const struct signature *signature, const struct public_key *key,
                          ed25519_verify_fn verify) {
    _cleanup_strbuf_ struct strbuf signed_text = {0};
    strbuf_add_bytes(&signed_text, signature->bytes, sizeof signature->bytes);
    strbuf_add_bytes(&signed_text, signature->comment.text, signature->comment.size);
    return signed_text.failed
               ? -ENOMEM
               : verify(key->bytes, signed_text.length, (const unsigned char *)signed_text.text,
                        signature->comment.bytes);
}

int signature_verify(const struct signature *signature, const struct public_key *key,
                     ed25519_verify_fn verify, const char *text, size_t size) {
    if (signature->fault || !signature_may_be_by(signature, key))
        return 0;
    if (signature->kind == SIGNATURE_SSH)
        return verify_ssh(signature, key, verify, text, size);
    int r = verify(key->bytes, size, (const unsigned char *)text, signature->bytes);
    return r == 1 && signature->kind == SIGNATURE_MINISIGN ? verify_comment(signature, key, verify)
                                                           : r;
}
