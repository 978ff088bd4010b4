/* SPDX-License-Identifier: MIT */
/*
 * Public keys, and signatures: each input is read as both. What is refused leaves no key; no
 * signature is good by keys that were made up with it.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "trust/signature.h"
#include "trust/trust.h"

static const char text[] = "{\"name\": \"kvm-linux\"}\n";

static void check_keys(const vqemu_trust *trust) {
    size_t count = vqemu_trust_key_count(trust);
    FUZZ_CHECK(count > 0 && count <= KEYS_MAX, "%zu keys", count);
    for (size_t i = 0; i < count; i++) {
        const char *id = vqemu_trust_key_id(trust, i);
        FUZZ_CHECK(*id && fuzz_is_printable(id), "the id \"%s\"", id);
        const char *name = vqemu_trust_key_name(trust, i);
        FUZZ_CHECK(!name || (*name && fuzz_is_printable(name)), "the name of key %zu", i);
        FUZZ_CHECK(*vqemu_trust_key_kind(trust, i), "key %zu has no kind", i);
    }
}

static void check_signature(const uint8_t *data, size_t size) {
    struct signature signature;
    signature_read(data, size, &signature);
    FUZZ_CHECK(signature.fault || signature.kind != SIGNATURE_UNKNOWN, "good for nothing");
    FUZZ_CHECK(!signature.fault || *signature.fault, "an empty fault");
    FUZZ_CHECK(fuzz_is_printable(signature.id), "the id of a key");
    FUZZ_CHECK(!signature.comment.text ||
                   (signature.comment.text >= (const char *)data &&
                    signature.comment.text + signature.comment.size <= (const char *)data + size),
               "the comment is not in the signature");
}

static void check_trust(const vqemu_trust *trust, const uint8_t *data, size_t size) {
    _cleanup_signature_set_ struct signature_set set = {0};
    vqemu_error *error = NULL;
    int r = signature_set_add(&set, data, size);
    FUZZ_CHECK((r == 1) == (size > 0 && size <= SIGNATURE_SIZE_MAX), "added: %d", r);
    struct vqemu_evidence evidence = {.source = "the input",
                                      .profile = "kvm-linux",
                                      .text = text,
                                      .size = sizeof text - 1,
                                      .digest = "",
                                      .signatures = &set};
    r = trust_check(trust, &evidence, &error);
    FUZZ_CHECK(fuzz_check_result(r, &error) == VQEMU_ERR_UNTRUSTED && evidence.key == -1,
               "it is trusted");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vqemu_trust *trust = NULL;
    vqemu_error *error = NULL;
    char *input = fuzz_text(data, size);
    fuzz_begin(data, size);
    FUZZ_CHECK(vqemu_trust_new(&trust, NULL) == 0, "no memory");
    if (fuzz_check_result(vqemu_trust_add_key(trust, input, size, "input", 0, &error), &error) == 0)
        check_keys(trust);
    else
        FUZZ_CHECK(vqemu_trust_key_count(trust) == 0, "a key of what was refused");
    check_signature(data, size);
    check_trust(trust, data, size);
    vqemu_trust_unref(trust);
    free(input);
    return 0;
}
