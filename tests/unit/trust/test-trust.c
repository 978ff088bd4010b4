/* SPDX-License-Identifier: MIT */
/* Keys and signatures of real tools: what is good, and what no change of a byte makes good. */
#include <errno.h>
#include <string.h>

#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "cases.h"
#include "trust/signature.h"
#include "trust/trust.h"
#include "util/base64.h"

static vqemu_trust *trust;
static char *manifest;
static size_t manifest_size;

static char *read_case(const char *name, size_t *size) {
    _cleanup_free_ char *path = format_string("%s/signatures/%s", getenv("TEST_DATA"), name);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = NULL;
    ck_assert_msg(fd >= 0, "%s", path);
    ck_assert_int_eq(read_all(fd, 1 << 20, &bytes, size), 0);
    return bytes;
}

static void set_up(void) {
    ck_assert_int_eq(vqemu_trust_new(&trust, NULL), 0);
    manifest = read_case("manifest.json", &manifest_size);
}

static void tear_down(void) {
    vqemu_trust_unref(trust);
    free(manifest);
}

static int add_key(const char *name, vqemu_error **error) {
    size_t size;
    _cleanup_free_ char *text = read_case(name, &size);
    return vqemu_trust_add_key(trust, text, size, name, 0, error);
}

static struct vqemu_evidence evidence_of(const struct signature_set *set) {
    return (struct vqemu_evidence){.source = "the archive x.tar",
                                   .profile = "kvm-linux",
                                   .text = manifest,
                                   .size = manifest_size,
                                   .digest = "d",
                                   .signatures = set};
}

/* Returns the result, and which key it was. */
static int check_bytes(const char *bytes, size_t size, int *key, vqemu_error **error) {
    _cleanup_signature_set_ struct signature_set set = {0};
    ck_assert_int_eq(signature_set_add(&set, bytes, size), 1);
    struct vqemu_evidence evidence = evidence_of(&set);
    error_begin(error);
    int r = trust_check(trust, &evidence, error);
    *key = vqemu_evidence_key(&evidence);
    return r;
}

static int check_file(const char *name, int *key, vqemu_error **error) {
    size_t size;
    _cleanup_free_ char *bytes = read_case(name, &size);
    return check_bytes(bytes, size, key, error);
}

static void refuses(const char *name, const char *reason, const char *words) {
    _cleanup_error_ vqemu_error *error = NULL;
    int key;
    ck_assert_int_eq(check_file(name, &key, &error), VQEMU_ERR_UNTRUSTED);
    ck_assert_int_eq(key, -1);
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_msg(strstr(vqemu_error_message(error), words), "%s", vqemu_error_message(error));
    ck_assert_msg(strstr(vqemu_error_message(error), "the archive x.tar"), "%s",
                  vqemu_error_message(error));
}

static const struct {
    const char *key, *kind, *id, *signature;
} good[] = {
    {"signify.pub", "signify", "6DE10C1B93AC6E", "signify.sig"},
    {"minisign.pub", "signify", "7ECC23C6D716B0AE", "minisign.sig"},
    {"openssl.pub", "openssl", "d5d7f797afe686a0d1c423c138a5e33acd8443a3d83757fea449a7afce221269",
     "openssl.sig"},
    {"ssh.pub", "ssh", "SHA256:sEACqhHvpUAppaqvxpCzBScuwVR+DtsgyVeNn5jjZSE", "ssh-sha512.sig"},
};
#define GOOD_COUNT (sizeof good / sizeof *good)

static bool is_loaded(const char *library) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[4096];
    bool found = false;
    while (fgets(line, sizeof line, maps))
        found |= strstr(line, library) != NULL;
    fclose(maps);
    return found;
}

START_TEST(a_signature_of_each_tool_is_good_by_its_key_alone) {
    ck_assert(!is_loaded("libhogweed") && !is_loaded("libgmp"));
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        int key;
        ck_assert_int_eq(add_key(good[i].key, NULL), 0);
        ck_assert_str_eq(vqemu_trust_key_kind(trust, i), good[i].kind);
        ck_assert(strstr(vqemu_trust_key_id(trust, i), good[i].id));
        ck_assert_int_eq(check_file(good[i].signature, &key, NULL), 0);
        ck_assert_int_eq(key, (int)i);
        for (size_t j = i + 1; j < GOOD_COUNT; j++)
            ck_assert_int_eq(check_file(good[j].signature, &key, NULL), VQEMU_ERR_UNTRUSTED);
    }
    ck_assert(is_loaded("libhogweed"));
    ck_assert_uint_eq(vqemu_trust_key_count(trust), GOOD_COUNT);
    ck_assert_str_eq(vqemu_trust_key_name(trust, 0), "signify public key");
    ck_assert_ptr_null(vqemu_trust_key_name(trust, 2));
    ck_assert_str_eq(vqemu_trust_key_name(trust, 3), "builder@example");
    ck_assert_ptr_null(vqemu_trust_key_id(trust, GOOD_COUNT));
    int key;
    ck_assert_int_eq(check_file("openssl-base64.sig", &key, NULL), 0);
    ck_assert_int_eq(check_file("ssh-sha256.sig", &key, NULL), 0);
}
END_TEST

static void trust_all(void) {
    for (size_t i = 0; i < GOOD_COUNT; i++)
        ck_assert_int_eq(add_key(good[i].key, NULL), 0);
}

START_TEST(what_cannot_be_trusted_says_why) {
    trust_all();
    refuses("signify-other.sig", "untrusted-key", "signify");
    refuses("minisign-hashed.sig", "bad-signature", "minisign -S -l");
    refuses("ssh-file.sig", "bad-signature", "-n volt-qemu");
    refuses("ssh-ecdsa.sig", "bad-signature", "ssh-ed25519");
    refuses("manifest.json", "bad-signature", "no kind that is known");
    manifest[10] ^= 1;
    refuses("signify.sig", "bad-signature", "altered");
    refuses("minisign.sig", "bad-signature", "altered");
    refuses("openssl.sig", "bad-signature", "altered");
    refuses("ssh-sha512.sig", "bad-signature", "altered");
}
END_TEST

START_TEST(details_name_who_has_signed_and_who_is_trusted) {
    _cleanup_error_ vqemu_error *error = NULL;
    struct signature_set none = {0};
    struct vqemu_evidence evidence = evidence_of(&none);
    int key;
    ck_assert_int_eq(trust_check(trust, &evidence, &error), VQEMU_ERR_UNTRUSTED);
    ck_assert_str_eq(vqemu_error_reason(error), "no-key");
    ck_assert_int_eq(add_key("minisign.pub", NULL), 0);
    ck_assert_int_eq(trust_check(trust, &evidence, &error), VQEMU_ERR_UNTRUSTED);
    ck_assert_str_eq(vqemu_error_reason(error), "unsigned");
    ck_assert_str_eq(vqemu_error_detail(error, VQEMU_DETAIL_TRUSTED), "signify 7ECC23C6D716B0AE");
    ck_assert_int_eq(check_file("ssh-sha512.sig", &key, &error), VQEMU_ERR_UNTRUSTED);
    ck_assert_str_eq(vqemu_error_reason(error), "untrusted-key");
    ck_assert_str_eq(vqemu_error_detail(error, VQEMU_DETAIL_SIGNERS),
                     "ssh SHA256:sEACqhHvpUAppaqvxpCzBScuwVR+DtsgyVeNn5jjZSE");
    ck_assert_str_eq(vqemu_error_detail(error, VQEMU_DETAIL_PROFILE), "kvm-linux");
    ck_assert(strstr(vqemu_error_message(error), "7ECC23C6D716B0AE"));
}
END_TEST

/* The same 32 bytes as a key of another tool: who signs by one has not signed by the other. */
START_TEST(a_key_makes_no_signatures_of_another_tool) {
    unsigned char der[44] = {0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0};
    char text[BASE64_SIZE(sizeof der) + 1] = "";
    struct vqemu_error *error = NULL;
    size_t size;
    int key;
    _cleanup_free_ char *file = read_case("signify.pub", &size);
    const char *line = strchr(file, '\n') + 1;
    unsigned char bytes[42];
    ck_assert_int_eq(base64_decode(line, strlen(line), bytes, sizeof bytes), 42);
    memcpy(der + 12, bytes + 10, 32);
    base64_encode(der, sizeof der, text);
    strcat(text, "="); /* 44 bytes lack one */
    _cleanup_free_ char *pem =
        format_string("-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", text);
    ck_assert_int_eq(vqemu_trust_add_key(trust, pem, strlen(pem), NULL, 0, &error), 0);
    refuses("signify.sig", "untrusted-key", "openssl");
    /* Its 64 bytes alone are one of openssl's by that key: both sign the text itself. */
    _cleanup_free_ char *signature = read_case("signify.sig", &size);
    line = strchr(signature, '\n') + 1;
    unsigned char raw[74];
    ck_assert_int_eq(base64_decode(line, strlen(line), raw, sizeof raw), 74);
    ck_assert_int_eq(check_bytes((char *)raw + 10, 64, &key, NULL), 0);
}
END_TEST

START_TEST(no_cut_is_good) {
    trust_all();
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        size_t size;
        int key;
        _cleanup_free_ char *bytes = read_case(good[i].signature, &size);
        /* Of minisign, what is before the trusted comment is a whole one of signify. */
        const char *comment = strstr(bytes, "\ntrusted comment");
        size_t whole = comment ? (size_t)(comment - bytes) : 0;
        for (size_t cut = 1; cut + 1 < size; cut++) {
            bool is_whole = comment && (cut == whole || cut == whole + 1);
            int r = check_bytes(bytes, cut, &key, NULL);
            ck_assert_msg(r == (is_whole ? 0 : VQEMU_ERR_UNTRUSTED), "%s, %zu: %d",
                          good[i].signature, cut, r);
        }
    }
}
END_TEST

/* What of a file is signed, or says what is: bits of base64 that mean nothing must be 0. */
START_TEST(no_flipped_bit_is_good) {
    static const size_t begin[] = {38, 55, 0, 30}, end[] = {136, 153, 64, 270};
    trust_all();
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        size_t size;
        int key;
        _cleanup_free_ char *bytes = read_case(good[i].signature, &size);
        for (size_t bit = 8 * begin[i]; bit < 8 * end[i]; bit++) {
            bytes[bit / 8] ^= (char)(1 << bit % 8);
            if (!memchr("\r\n", bytes[bit / 8], 2))
                ck_assert_msg(check_bytes(bytes, size, &key, NULL) < 0, "%s, bit %zu",
                              good[i].signature, bit);
            bytes[bit / 8] ^= (char)(1 << bit % 8);
        }
        ck_assert_int_eq(check_bytes(bytes, size, &key, NULL), 0);
    }
}
END_TEST

static char *with_crlf(const char *name, size_t *size) {
    _cleanup_free_ char *bytes = read_case(name, size);
    struct strbuf text = {0};
    for (size_t i = 0; i < *size; i++)
        strbuf_addf(&text, bytes[i] == '\n' ? "\r\n" : "%c", bytes[i]);
    *size = text.length;
    return strbuf_take(&text);
}

START_TEST(ends_of_lines_do_not_matter_but_in_the_manifest) {
    size_t size;
    int key;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        _cleanup_free_ char *text = with_crlf(good[i].key, &size);
        ck_assert_int_eq(vqemu_trust_add_key(trust, text, size, NULL, 0, NULL), 0);
        if (strcmp(good[i].kind, "openssl") == 0)
            continue; /* no text */
        _cleanup_free_ char *signature = with_crlf(good[i].signature, &size);
        ck_assert_int_eq(check_bytes(signature, size, &key, NULL), 0);
        ck_assert_int_eq(key, (int)i);
    }
    free(manifest);
    manifest = with_crlf("manifest.json", &manifest_size);
    for (size_t i = 0; i < GOOD_COUNT; i++)
        refuses(good[i].signature, "bad-signature", "altered");
}
END_TEST

START_TEST(a_trusted_comment_is_one) {
    size_t size;
    int key;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *bytes = read_case("minisign.sig", &size);
    trust_all();
    strstr(bytes, "timestamp:")[10] ^= 1;
    ck_assert_int_eq(check_bytes(bytes, size, &key, &error), VQEMU_ERR_UNTRUSTED);
    ck_assert_str_eq(vqemu_error_reason(error), "bad-signature");
}
END_TEST

START_TEST(one_good_signature_is_enough) {
    _cleanup_signature_set_ struct signature_set set = {0};
    const char *const names[] = {"signify-other.sig", "minisign-hashed.sig", "ssh-ecdsa.sig",
                                 "ssh-sha256.sig"};
    ck_assert_int_eq(add_key("ssh.pub", NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        size_t size;
        _cleanup_free_ char *bytes = read_case(names[i], &size);
        struct vqemu_evidence evidence = evidence_of(&set);
        ck_assert_int_eq(trust_check(trust, &evidence, NULL), VQEMU_ERR_UNTRUSTED);
        ck_assert_int_eq(signature_set_add(&set, bytes, size), 1);
        ck_assert_int_eq(signature_set_add(&set, bytes, size), 0);
    }
    for (size_t i = 1; i < set.count; i++)
        ck_assert_int_lt(strcmp(set.items[i - 1].digest.hex, set.items[i].digest.hex), 0);
    struct vqemu_evidence evidence = evidence_of(&set);
    ck_assert_int_eq(trust_check(trust, &evidence, NULL), 0);
}
END_TEST

START_TEST(signatures_have_limits) {
    _cleanup_signature_set_ struct signature_set set = {0};
    char bytes[4097] = "";
    ck_assert_int_eq(signature_set_add(&set, bytes, 0), -EMSGSIZE);
    ck_assert_int_eq(signature_set_add(&set, bytes, 4097), -EMSGSIZE);
    for (int i = 0; i < 16; i++) {
        bytes[0] = (char)i;
        ck_assert_int_eq(signature_set_add(&set, bytes, 4096), 1);
    }
    ck_assert_int_eq(signature_set_add(&set, bytes, 4096), 0);
    ck_assert_int_eq(signature_set_add(&set, bytes, 1), -E2BIG);
}
END_TEST

static void no_key(const char *text, size_t size, int code, const char *reason, int line) {
    _cleanup_error_ vqemu_error *error = NULL;
    size_t count = vqemu_trust_key_count(trust);
    ck_assert_msg(vqemu_trust_add_key(trust, text, size, "x.pub", 0, &error) == code, "%s: %s",
                  text, vqemu_error_message(error));
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_str_eq(vqemu_error_detail(error, VQEMU_DETAIL_PATH), "x.pub");
    ck_assert_msg(vqemu_error_line(error) == line, "%s: %s", text, vqemu_error_message(error));
    ck_assert_uint_eq(vqemu_trust_key_count(trust), count);
}

#define SSH_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIACZkDb7n8JyRVcbbQParkjxqOlA+oJnz9WQOJoLlSNK"

START_TEST(what_is_no_key_is_refused) {
    static const struct {
        const char *text;
        int code;
        const char *reason;
        int line;
    } rows[] = {
        {"", VQEMU_ERR_MALFORMED, "bad-key", 1},
        {"# nothing\n\n \r\n", VQEMU_ERR_MALFORMED, "bad-key", 1},
        {"hello", VQEMU_ERR_MALFORMED, "bad-key", 1},
        {"untrusted comment: x", VQEMU_ERR_MALFORMED, "bad-key", 1},
        {"untrusted comment: x\n!!!", VQEMU_ERR_MALFORMED, "bad-key", 2},
        {"RWSusBbXxiPMfuqvq9DSwhKA2thjv5dKxjrp404WxdSpM3+VKQ88nNj/eiKtud1yn6uZbCY5mFBLza7I29sSbAK4"
         "AdLX6T7BpwI=",
         VQEMU_ERR_MALFORMED, "bad-key", 1},
        {"RXSusBbXxiPMfqZkOqGPDvgB7PsZQIzpPOI35y8vhu+3wBnuxNdqpJwW", VQEMU_ERR_MALFORMED, "bad-key",
         1},
        {"untrusted comment: x\nRXSusBbXxiPMfqZkOqGPDvgB7PsZQIzpPOI35y8vhu+3wBnuxNdqpJwW",
         VQEMU_ERR_UNSUPPORTED, "key-kind", 2},
        {"-----BEGIN PUBLIC KEY-----\nMCow", VQEMU_ERR_MALFORMED, "bad-key", 2},
        {"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", VQEMU_ERR_MALFORMED, "bad-key", 2},
        {"-----BEGIN CERTIFICATE-----\n", VQEMU_ERR_UNSUPPORTED, "key-kind", 1},
        {"\n-----BEGIN PRIVATE KEY-----\n", VQEMU_ERR_INVALID, "secret-key", 2},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n", VQEMU_ERR_INVALID, "secret-key", 1},
        {"ssh-rsa AAAA\n", VQEMU_ERR_UNSUPPORTED, "key-kind", 1},
        {"ssh-ed25519\n", VQEMU_ERR_MALFORMED, "bad-key", 1},
        {"ssh-ed25519 AAAA\n", VQEMU_ERR_MALFORMED, "bad-key", 1},
        {"builder cert-authority " SSH_KEY, VQEMU_ERR_UNSUPPORTED, "key-kind", 1},
        {"builder namespaces=\"git,file\" " SSH_KEY, VQEMU_ERR_INVALID, "key-kind", 1},
        {"builder namespaces=\"volt-qemu\",valid-before=\"20300101\" " SSH_KEY,
         VQEMU_ERR_UNSUPPORTED, "key-kind", 1},
        {SSH_KEY "\n# and\nhello\n", VQEMU_ERR_MALFORMED, "bad-key", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        no_key(rows[i].text, strlen(rows[i].text), rows[i].code, rows[i].reason, rows[i].line);
    no_key("ssh-ed25519\0", 12, VQEMU_ERR_MALFORMED, "bad-key", 1);
    size_t size;
    _cleanup_free_ char *rsa = read_case("rsa.pub", &size);
    no_key(rsa, size, VQEMU_ERR_UNSUPPORTED, "key-kind", 9);
    _cleanup_free_ char *ecdsa = read_case("ecdsa.pub", &size);
    no_key(ecdsa, size, VQEMU_ERR_UNSUPPORTED, "key-kind", 1);
    char secret[BASE64_SIZE(104) + 2] = "";
    const unsigned char bytes[104] = "EdBK";
    base64_encode(bytes, sizeof bytes, secret);
    strcat(secret, "=");
    _cleanup_free_ char *file = format_string("untrusted comment: signify secret key\n%s", secret);
    no_key(file, strlen(file), VQEMU_ERR_INVALID, "secret-key", 2);
}
END_TEST

START_TEST(keys_follow_each_other_in_one_text) {
    static const char text[] = "# the builders\n"
                               "builder@example namespaces=\"git,volt-qemu\" " SSH_KEY "\n"
                               "\n"
                               "RWSusBbXxiPMfqZkOqGPDvgB7PsZQIzpPOI35y8vhu+3wBnuxNdqpJwW\n";
    ck_assert_int_eq(vqemu_trust_add_key(trust, text, sizeof text - 1, NULL, 0, NULL), 0);
    ck_assert_uint_eq(vqemu_trust_key_count(trust), 2);
    ck_assert_str_eq(vqemu_trust_key_name(trust, 0), "builder@example");
    ck_assert_str_eq(vqemu_trust_key_id(trust, 1), "7ECC23C6D716B0AE");
    ck_assert_int_eq(add_key("minisign.pub", NULL), 0); /* the same again */
    ck_assert_uint_eq(vqemu_trust_key_count(trust), 2);
}
END_TEST

START_TEST(more_than_64_keys_are_too_many) {
    struct strbuf text = {0};
    unsigned char bytes[42] = "Ed";
    for (int i = 0; i < 65; i++) {
        char line[BASE64_SIZE(sizeof bytes)];
        bytes[2] = (unsigned char)i;
        base64_encode(bytes, sizeof bytes, line);
        strbuf_addf(&text, "%s\n", line);
    }
    _cleanup_free_ char *all = strbuf_take(&text);
    no_key(all, strlen(all), VQEMU_ERR_INVALID, "too-many-keys", 65);
    ck_assert_int_eq(vqemu_trust_add_key(trust, all, strlen(all) - 57, NULL, 0, NULL), 0);
    ck_assert_uint_eq(vqemu_trust_key_count(trust), 64);
}
END_TEST

struct asked {
    int verdict, count, key;
    size_t signatures, size;
};

static int verify(const vqemu_evidence *evidence, void *userdata) {
    struct asked *asked = userdata;
    asked->count++;
    asked->key = vqemu_evidence_key(evidence);
    asked->signatures = vqemu_evidence_signature_count(evidence);
    ck_assert_ptr_null(vqemu_evidence_signature(evidence, asked->signatures, NULL));
    ck_assert_ptr_null(vqemu_evidence_oci_digest(evidence));
    ck_assert_str_eq(vqemu_evidence_source(evidence), "the archive x.tar");
    ck_assert_str_eq(vqemu_evidence_profile_name(evidence), "kvm-linux");
    ck_assert_str_eq(vqemu_evidence_digest(evidence), "d");
    ck_assert_ptr_eq(vqemu_evidence_manifest(evidence, &asked->size), manifest);
    return asked->verdict;
}

START_TEST(a_verifier_has_the_last_word) {
    struct asked asked = {.verdict = VQEMU_VERDICT_UNKNOWN};
    _cleanup_error_ vqemu_error *error = NULL;
    int key;
    ck_assert_int_eq(vqemu_trust_set_verifier(trust, verify, &asked, NULL), 0);
    ck_assert_int_eq(check_file("signify.sig", &key, &error), VQEMU_ERR_UNTRUSTED);
    ck_assert_str_eq(vqemu_error_reason(error), "no-key");
    asked.verdict = VQEMU_VERDICT_TRUSTED;
    ck_assert_int_eq(check_file("signify.sig", &key, &error), 0);
    ck_assert_int_eq(key, -1);
    ck_assert_int_eq(add_key("signify.pub", NULL), 0);
    ck_assert_int_eq(check_file("signify-other.sig", &key, &error), 0);
    asked.verdict = VQEMU_VERDICT_UNKNOWN;
    ck_assert_int_eq(check_file("signify.sig", &key, &error), 0);
    ck_assert_int_eq(asked.key, 0);
    for (asked.verdict = 2; asked.verdict < 4; asked.verdict++) {
        ck_assert_int_eq(check_file("signify.sig", &key, &error), VQEMU_ERR_UNTRUSTED);
        ck_assert_str_eq(vqemu_error_reason(error), "verifier-refuses");
    }
    ck_assert_int_eq(asked.count, 6);
    ck_assert_uint_eq(asked.signatures, 1);
    ck_assert_uint_eq(asked.size, manifest_size);
}
END_TEST

START_TEST(base64_is_strict) {
    static const struct {
        const char *text;
        int size;
    } rows[] = {{"", 0},           {"QQ==", 1},      {"QUI=", 2},  {"QUJD", 3},
                {"QU\r\nJD\n", 3}, {"QQ=", -1},      {"QQ", -1},   {"QR==", -1},
                {"QUJ=", -1},      {"QQ==QUJD", -1}, {"====", -1}, {"Q===", -1},
                {"QUJDQUJD", -1},  {"QU D", -1},     {"QU-D", -1}, {"QQ==\n=", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char bytes[4];
        ck_assert_msg(base64_decode(rows[i].text, strlen(rows[i].text), bytes, sizeof bytes) ==
                          rows[i].size,
                      "%s", rows[i].text);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("trust");
    TCase *tests = tcase_create("trust");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, a_signature_of_each_tool_is_good_by_its_key_alone);
    tcase_add_test(tests, what_cannot_be_trusted_says_why);
    tcase_add_test(tests, details_name_who_has_signed_and_who_is_trusted);
    tcase_add_test(tests, a_key_makes_no_signatures_of_another_tool);
    tcase_add_test(tests, no_cut_is_good);
    tcase_add_test(tests, no_flipped_bit_is_good);
    tcase_add_test(tests, ends_of_lines_do_not_matter_but_in_the_manifest);
    tcase_add_test(tests, a_trusted_comment_is_one);
    tcase_add_test(tests, one_good_signature_is_enough);
    tcase_add_test(tests, signatures_have_limits);
    tcase_add_test(tests, what_is_no_key_is_refused);
    tcase_add_test(tests, keys_follow_each_other_in_one_text);
    tcase_add_test(tests, more_than_64_keys_are_too_many);
    tcase_add_test(tests, a_verifier_has_the_last_word);
    tcase_add_test(tests, base64_is_strict);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
