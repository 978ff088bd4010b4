/* SPDX-License-Identifier: MIT */
/* The files that public keys come in: several can stand in one, for keys that follow each other. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "trust/public-key.h"
#include "util/base64.h"
#include "util/strbuf.h"
#include "util/word.h"

#define COMMENT "untrusted comment:"
#define PEM_BEGIN "-----BEGIN "
#define PEM_KEY_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_KEY_END "-----END PUBLIC KEY-----"
#define DECODED_MAX 8192 /* of an RSA key of 65,536 bits */

struct reading {
    char *rest; /* of the text; NULL at its end */
    int64_t line;
    const char *source;
    struct public_keys *keys;
    vqemu_error **error;
};

static int refuse(const struct reading *reading, int code, const char *reason, const char *what) {
    int r = error_set(reading->error, code, 0, "%s: line %lld: %s", reading->source,
                      (long long)reading->line, what);
    r = error_because(r, reading->error, reason, VQEMU_DETAIL_PATH, reading->source, NULL);
    return error_at_line(r, reading->error, reading->line);
}

static int refuse_secret(const struct reading *reading) {
    return refuse(reading, VQEMU_ERR_INVALID, "secret-key",
                  "this is a secret key, which nobody but its owner should have: give the public "
                  "one");
}

static int refuse_kind(const struct reading *reading) {
    return refuse(reading, VQEMU_ERR_UNSUPPORTED, "key-kind",
                  "this key is not of Ed25519, the only kind that is known");
}

static int refuse_text(const struct reading *reading) {
    return refuse(reading, VQEMU_ERR_MALFORMED, "bad-key",
                  "this is no public key of signify, minisign, OpenSSL (PEM) or SSH");
}

/* ---- lines and words ---- */

/* The next line without blanks at its ends; NULL at the end. */
static char *next_line(struct reading *reading) {
    char *line = strsep(&reading->rest, "\n");
    if (!line)
        return NULL;
    reading->line++;
    line += strspn(line, " \t");
    size_t length = strlen(line);
    while (length > 0 && strchr(" \t\r", line[length - 1]))
        line[--length] = '\0';
    return line;
}

/* The next word of a line, in which quotes hold blanks together; "" at its end. */
static char *next_word(char **line) {
    char *word = *line + strspn(*line, " \t"), *end = word;
    for (bool quoted = false; *end && (quoted || !strchr(" \t", *end)); end++)
        quoted ^= *end == '"';
    *line = end;
    if (*end)
        *(*line)++ = '\0';
    return word;
}

/* ---- keys ---- */

static bool is_same(const struct public_key *a, const struct public_key *b) {
    return a->kind == b->kind && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0 &&
           memcmp(a->number, b->number, sizeof a->number) == 0;
}

static int add_key(const struct reading *reading, struct public_key *key, const char *name) {
    struct public_keys *keys = reading->keys;
    for (size_t i = 0; i < keys->count; i++)
        if (is_same(&keys->keys[i], key))
            return 0;
    if (keys->count == KEYS_MAX)
        return refuse(reading, VQEMU_ERR_INVALID, "too-many-keys",
                      "there are more than the 64 keys that can be trusted");
    struct public_key *larger = realloc(keys->keys, (keys->count + 1) * sizeof *larger);
    if (!larger)
        return error_no_memory(reading->error);
    keys->keys = larger;
    key->name = make_printable(name);
    if (!key->name)
        return error_no_memory(reading->error);
    keys->keys[keys->count++] = *key;
    return 0;
}

/* ---- signify and minisign ---- */

static int take_signify(const struct reading *reading, const char *name, const char *word) {
    unsigned char bytes[256];
    struct public_key key;
    ssize_t size = base64_decode(word, strlen(word), bytes, sizeof bytes);
    if (size > 0 && key_take_signify(bytes, (size_t)size, &key))
        return add_key(reading, &key, name);
    if (size == 2 + KEY_NUMBER_BYTES + ED25519_SIGNATURE_BYTES)
        return refuse(reading, VQEMU_ERR_MALFORMED, "bad-key",
                      "this is a signature: give the key that it was made with");
    if (size > 2 + KEY_NUMBER_BYTES + ED25519_SIGNATURE_BYTES)
        return refuse_secret(reading);
    return size == 2 + KEY_NUMBER_BYTES + ED25519_KEY_BYTES ? refuse_kind(reading)
                                                            : refuse_text(reading);
}

static int take_signify_file(struct reading *reading, const char *comment) {
    const char *word = next_line(reading);
    return word ? take_signify(reading, comment + strspn(comment, " "), word)
                : refuse_text(reading);
}

/* ---- OpenSSL ---- */

static int add_openssl(const struct reading *reading, const struct strbuf *text) {
    _cleanup_free_ unsigned char *bytes = malloc(DECODED_MAX);
    struct public_key key;
    if (!bytes || text->failed)
        return error_no_memory(reading->error);
    ssize_t size = base64_decode(text->text ? text->text : "", text->length, bytes, DECODED_MAX);
    if (size <= 0)
        return refuse_text(reading);
    return key_take_openssl(bytes, (size_t)size, &key) ? add_key(reading, &key, "")
                                                       : refuse_kind(reading);
}

static int take_pem(struct reading *reading, const char *begin) {
    _cleanup_strbuf_ struct strbuf text = {0};
    if (ends_with(begin, "PRIVATE KEY-----"))
        return refuse_secret(reading);
    if (ends_with(begin, "CERTIFICATE-----"))
        return refuse(reading, VQEMU_ERR_UNSUPPORTED, "key-kind",
                      "this is a certificate: take its public key out of it");
    if (strcmp(begin, PEM_KEY_BEGIN) != 0)
        return refuse_text(reading);
    for (const char *line; (line = next_line(reading));) {
        if (strcmp(line, PEM_KEY_END) == 0)
            return add_openssl(reading, &text);
        strbuf_add(&text, line);
    }
    return refuse(reading, VQEMU_ERR_MALFORMED, "bad-key", "the key has no end");
}

/* ---- SSH: a public key, or lines of allowed signers ---- */

static bool is_ssh_type(const char *word) {
    return begins_with(word, "ssh-") || begins_with(word, "ecdsa-sha2-") ||
           begins_with(word, "sk-ssh-") || begins_with(word, "sk-ecdsa-");
}

/* What restricts a key and is not understood must not be passed over. */
static int check_options(const struct reading *reading, char *options) {
    static const char namespaces[] = "namespaces=\"";
    if (!*options)
        return 0;
    char *list = begins_with(options, namespaces) ? options + strlen(namespaces) : NULL;
    if (!list || strcspn(list, "\"") + 1 != strlen(list))
        return refuse(reading, VQEMU_ERR_UNSUPPORTED, "key-kind",
                      "of the options of a signer, only namespaces=\"" SSH_NAMESPACE
                      "\" is known: leave out the others, and the line once it is not valid any "
                      "more");
    list[strcspn(list, "\"")] = '\0';
    for (const char *word; (word = strsep(&list, ","));)
        if (strcmp(word, SSH_NAMESPACE) == 0)
            return 0;
    return refuse(reading, VQEMU_ERR_INVALID, "key-kind",
                  "this key is for other namespaces than " SSH_NAMESPACE);
}

static int add_ssh(const struct reading *reading, const char *word, const char *name) {
    unsigned char bytes[128];
    struct public_key key;
    ssize_t size = base64_decode(word, strlen(word), bytes, sizeof bytes);
    return size > 0 && key_take_ssh(bytes, (size_t)size, &key) ? add_key(reading, &key, name)
                                                               : refuse_text(reading);
}

static int take_ssh(const struct reading *reading, char *line) {
    char *signer = next_word(&line), *type = signer, nothing[] = "", *options = nothing;
    if (!is_ssh_type(type))
        type = next_word(&line);
    if (!is_ssh_type(type)) {
        options = type;
        type = next_word(&line);
    }
    if (!is_ssh_type(type))
        return refuse_text(reading);
    if (strcmp(type, SSH_KEY_TYPE) != 0)
        return refuse_kind(reading);
    int r = check_options(reading, options);
    const char *word = next_word(&line);
    return r == 0 ? add_ssh(reading, word, signer == type ? line : signer) : r;
}

/* ---- all of it ---- */

static int take_line(struct reading *reading, char *line) {
    if (!*line || *line == '#')
        return 0;
    if (begins_with(line, COMMENT))
        return take_signify_file(reading, line + strlen(COMMENT));
    if (begins_with(line, PEM_BEGIN))
        return take_pem(reading, line);
    if (begins_with(line, "RW") && !line[strcspn(line, " \t")])
        return take_signify(reading, "", line);
    return take_ssh(reading, line);
}

static int take_lines(struct reading *reading) {
    size_t before = reading->keys->count;
    int r = 0;
    for (char *line; r == 0 && (line = next_line(reading));)
        r = take_line(reading, line);
    while (r < 0 && reading->keys->count > before)
        free(reading->keys->keys[--reading->keys->count].name);
    return r;
}

/* Whether a text names a key at all; one that is there already counts. */
static bool is_blank(const char *text) {
    while (*text) {
        size_t length = strcspn(text, "\n"), blank = strspn(text, " \t\r");
        if (blank < length && text[blank] != '#')
            return false;
        text += length + (text[length] == '\n');
    }
    return true;
}

int public_keys_add_text(struct public_keys *keys, const char *text, size_t size,
                         const char *source, vqemu_error **error) {
    struct reading reading = {.source = source, .keys = keys, .error = error, .line = 1};
    if (size > KEY_TEXT_MAX)
        return refuse(&reading, VQEMU_ERR_MALFORMED, "bad-key",
                      "this is larger than any file of keys");
    _cleanup_free_ char *copy = strndup(text, size);
    if (!copy)
        return error_no_memory(error);
    if (strlen(copy) != size || is_blank(copy))
        return refuse_text(&reading);
    reading.rest = copy;
    reading.line = 0;
    return take_lines(&reading);
}
