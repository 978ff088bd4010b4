/* SPDX-License-Identifier: MIT */
/* Signatures as a store keeps them; whether they are good, a verifier says here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <volt-qemu/volt-qemu.h>

#include "base/call.h"
#include "base/error.h"
#include "one-revision.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/store.h"
#include "trust/trust.h"
#include "util/strbuf.h"

static int add(const char *signature, uint32_t flags, vqemu_error **error) {
    return vqemu_store_add_signature(store, revision, signature, strlen(signature), flags, NULL,
                                     error);
}

static vqemu_signature_list *list_of(vqemu_store *of, const vqemu_revision *whose) {
    vqemu_signature_list *list = NULL;
    ck_assert_int_eq(vqemu_store_list_signatures(of, whose, 0, NULL, &list, NULL), 0);
    return list;
}

static size_t count_of(vqemu_store *of, const vqemu_revision *whose) {
    vqemu_signature_list *list = list_of(of, whose);
    size_t count = vqemu_signature_list_count(list);
    vqemu_signature_list_free(list);
    return count;
}

START_TEST(what_is_added_is_listed_and_removed) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_uint_eq(count_of(store, revision), 0);
    ck_assert_int_eq(add("mine", 0, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "not-a-signature");
    ck_assert(!exists("store/cas/signatures"));
    ck_assert_int_eq(add("mine", VQEMU_SIGNATURE_ANY, &error), 0);
    ck_assert_int_eq(add("mine", VQEMU_SIGNATURE_ANY, &error), 0);
    ck_assert_int_eq(
        vqemu_store_add_signature(store, revision, "a\0b", 3, VQEMU_SIGNATURE_ANY, NULL, &error),
        0);
    vqemu_signature_list *list = list_of(store, revision);
    ck_assert_uint_eq(vqemu_signature_list_count(list), 2);
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        const char *bytes = vqemu_signature_list_bytes(list, i, &size);
        ck_assert(size == 4 ? memcmp(bytes, "mine", 4) == 0 : memcmp(bytes, "a\0b", 3) == 0);
        ck_assert_str_eq(vqemu_signature_list_kind(list, i), "unknown");
        ck_assert_ptr_null(vqemu_signature_list_key_id(list, i));
        ck_assert_ptr_nonnull(vqemu_signature_list_fault(list, i));
        ck_assert_int_eq(vqemu_store_remove_signature(store, revision,
                                                      vqemu_signature_list_digest(list, i), 0, NULL,
                                                      &error),
                         0);
    }
    ck_assert_int_eq(vqemu_store_remove_signature(
                         store, revision, vqemu_signature_list_digest(list, 0), 0, NULL, &error),
                     VQEMU_ERR_NOT_FOUND);
    ck_assert_str_eq(vqemu_error_reason(error), "no-such-signature");
    ck_assert_int_eq(vqemu_store_remove_signature(store, revision, "../../pins", 0, NULL, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_null(vqemu_signature_list_digest(list, 2));
    vqemu_signature_list_free(list);
    ck_assert_uint_eq(count_of(store, revision), 0);
    ck_assert_int_eq(count_leftovers(), 0);
}
END_TEST

START_TEST(there_are_sixteen) {
    _cleanup_error_ vqemu_error *error = NULL;
    for (int i = 0; i < 16; i++) {
        _cleanup_free_ char *text = format_string("number %d", i);
        ck_assert_int_eq(add(text, VQEMU_SIGNATURE_ANY, NULL), 0);
    }
    ck_assert_int_eq(add("one more", VQEMU_SIGNATURE_ANY, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "too-many-signatures");
    ck_assert_int_eq(add("number 3", VQEMU_SIGNATURE_ANY, &error), 0);
    ck_assert_uint_eq(count_of(store, revision), 16);
}
END_TEST

START_TEST(damaged_ones_are_passed_over_and_told) {
    _cleanup_error_ vqemu_error *error = NULL;
    static const char digest[] = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
    ck_assert_int_eq(add("mine", VQEMU_SIGNATURE_ANY, NULL), 0);
    _cleanup_free_ char *path =
        format_string("store/cas/signatures/%s/%s", vqemu_revision_name(revision), digest);
    _cleanup_free_ char *other =
        format_string("store/cas/signatures/%s/readme", vqemu_revision_name(revision));
    write_file(path, "no such digest", 0644);
    write_file(other, "what has another name says nothing", 0644);
    ck_assert_uint_eq(count_of(store, revision), 1);
    vqemu_check *check = NULL;
    ck_assert_int_eq(vqemu_store_check(store, NULL, 0, NULL, NULL, &check, NULL), 0);
    ck_assert_uint_eq(vqemu_check_problem_count(check), 1);
    ck_assert_str_eq(vqemu_check_problem_kind(check, 0), "signature");
    ck_assert_str_eq(vqemu_check_place_revision_name(check, 0, 0), vqemu_revision_name(revision));
    ck_assert(strstr(vqemu_check_problem_message(check, 0), digest));
    vqemu_check_free(check);
    ck_assert_int_eq(vqemu_store_remove_signature(store, revision, digest, 0, NULL, &error), 0);
    ck_assert(!exists(path));
}
END_TEST

/* ---- who asks for them ---- */

static int verdict, asked;
static char oci_digest[80];

static int verify(const vqemu_evidence *evidence, void *userdata) {
    (void)userdata;
    const char *told = vqemu_evidence_oci_digest(evidence);
    asked++;
    snprintf(oci_digest, sizeof oci_digest, "%s", told ? told : "");
    return vqemu_evidence_signature_count(evidence) > 0 ? verdict : VQEMU_VERDICT_UNKNOWN;
}

/* That in store/, or in other/. */
static vqemu_store *open_trusting(const char *name) {
    vqemu_store_options *options = NULL;
    vqemu_trust *trust = NULL;
    vqemu_store *opened = NULL;
    _cleanup_free_ char *path = scratch_path(name);
    verdict = VQEMU_VERDICT_TRUSTED;
    asked = 0;
    ck_assert_int_eq(vqemu_trust_new(&trust, NULL), 0);
    ck_assert_int_eq(vqemu_trust_set_verifier(trust, verify, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, VQEMU_STORE_ROOT, path, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_trust(options, trust, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_trust(options, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_trust(options, trust, NULL), 0);
    ck_assert_int_eq(vqemu_store_open(options, VQEMU_STORE_CREATE, &opened, NULL), 0);
    vqemu_store_options_free(options);
    vqemu_trust_unref(trust);
    return opened;
}

START_TEST(a_store_that_asks_takes_and_resolves_what_is_signed) {
    _cleanup_store_ vqemu_store *to = open_trusting("other");
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    ck_assert_int_eq(vqemu_store_copy(store, revision, to, 0, NULL, &ingest, &error),
                     VQEMU_ERR_UNTRUSTED);
    ck_assert_str_eq(vqemu_error_reason(error), "no-key");
    ck_assert_int_eq(count_entries("other/cas/refs"), 0);
    ck_assert_int_eq(count_entries("other/cas/objects"), 0);
    ck_assert(!exists("other/cas/signatures"));
    ck_assert_int_eq(add("mine", VQEMU_SIGNATURE_ANY, NULL), 0);
    ck_assert_int_eq(vqemu_store_copy(store, revision, to, 0, NULL, &ingest, &error), 0);
    ck_assert_uint_eq(count_of(to, vqemu_ingest_revision(ingest)), 1);
    ck_assert_int_eq(asked, 2);
    ck_assert_str_eq(oci_digest, "");
    verdict = VQEMU_VERDICT_REFUSED;
    ck_assert_int_eq(vqemu_store_add_signature(to, vqemu_ingest_revision(ingest), "other", 5,
                                               VQEMU_SIGNATURE_ANY, NULL, &error),
                     VQEMU_ERR_UNTRUSTED);
    ck_assert_str_eq(vqemu_error_reason(error), "verifier-refuses");
    vqemu_check *check = NULL;
    ck_assert_int_eq(vqemu_store_check(to, NULL, 0, NULL, NULL, &check, NULL), 0);
    ck_assert_uint_eq(vqemu_check_problem_count(check), 1);
    vqemu_check_free(check);
}
END_TEST

START_TEST(a_verifier_is_shown_the_oci_manifest) {
    _cleanup_store_ vqemu_store *to = open_trusting("other");
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    _cleanup_free_ char *directory = scratch_path("layout");
    char *digest = NULL;
    ck_assert_int_eq(add("mine", VQEMU_SIGNATURE_ANY, NULL), 0);
    ck_assert_int_eq(
        vqemu_store_export_layout(store, directory, revision, NULL, 0, NULL, &digest, NULL), 0);
    ck_assert_int_eq(vqemu_store_import_layout(to, directory, NULL, NULL, VQEMU_IMPORT_ANY_PROFILE,
                                               NULL, &ingest, NULL),
                     0);
    ck_assert_str_eq(oci_digest, digest);
    vqemu_free(digest);
}
END_TEST

START_TEST(both_trusts_are_asked) {
    _cleanup_store_ vqemu_store *to = open_trusting("other");
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *directory = scratch_path("layout");
    vqemu_ingest_options *options = NULL;
    vqemu_trust *nobody = NULL;
    char *digest = NULL;
    ck_assert_int_eq(vqemu_trust_new(&nobody, NULL), 0);
    ck_assert_int_eq(vqemu_ingest_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_ingest_options_set_trust(options, nobody, NULL), 0);
    ck_assert_int_eq(add("mine", VQEMU_SIGNATURE_ANY, NULL), 0);
    ck_assert_int_eq(
        vqemu_store_export_layout(store, directory, revision, NULL, 0, NULL, &digest, NULL), 0);
    ck_assert_int_eq(vqemu_store_import_layout(to, directory, NULL, options,
                                               VQEMU_IMPORT_ANY_PROFILE, NULL, &ingest, &error),
                     VQEMU_ERR_UNTRUSTED);
    ck_assert_str_eq(vqemu_error_reason(error), "no-key");
    ck_assert_int_eq(
        vqemu_ingest_options_set_string(options, VQEMU_INGEST_PROFILE, "emulate-x86", NULL), 0);
    ck_assert_int_eq(vqemu_store_ingest(to, directory, options, 0, NULL, &ingest, &error),
                     VQEMU_ERR_UNTRUSTED);
    vqemu_ingest_options_free(options);
    vqemu_trust_unref(nobody);
    vqemu_free(digest);
}
END_TEST

START_TEST(a_call_that_is_given_up_changes_nothing) {
    _cleanup_call_ vqemu_call *call = NULL;
    int32_t key = 7;
    vqemu_trust *trust = NULL;
    vqemu_signature_list *list = NULL;
    ck_assert_int_eq(vqemu_trust_new(&trust, NULL), 0);
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(
        vqemu_store_add_signature(store, revision, "mine", 4, VQEMU_SIGNATURE_ANY, call, NULL),
        VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(vqemu_store_list_signatures(store, revision, 0, call, &list, NULL),
                     VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(vqemu_store_verify_revision(store, revision, trust, 0, call, &key, NULL),
                     VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(key, -1);
    ck_assert(!exists("store/cas/signatures"));
    vqemu_trust_unref(trust);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("signature");
    TCase *tests = tcase_create("signature");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, what_is_added_is_listed_and_removed);
    tcase_add_test(tests, there_are_sixteen);
    tcase_add_test(tests, damaged_ones_are_passed_over_and_told);
    tcase_add_test(tests, a_store_that_asks_takes_and_resolves_what_is_signed);
    tcase_add_test(tests, a_verifier_is_shown_the_oci_manifest);
    tcase_add_test(tests, both_trusts_are_asked);
    tcase_add_test(tests, a_call_that_is_given_up_changes_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
