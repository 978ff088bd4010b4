/* SPDX-License-Identifier: MIT */
/* OCI layouts: the bytes of a manifest, what is read of one, and calls that end early. */
#include <stdlib.h>
#include <string.h>

#include <volt-qemu/volt-qemu.h>

#include "base/call.h"
#include "base/error.h"
#include "one-revision.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/store.h"
#include "transfer/oci-manifest.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static const char golden[] =
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
    "\"artifactType\":\"application/vnd.volt-qemu.profile.v1\",\"config\":{\"mediaType\":"
    "\"application/vnd.volt-qemu.profile.v1+json\",\"digest\":\"sha256:" A "\",\"size\":321},"
    "\"layers\":[{\"mediaType\":\"application/vnd.volt-qemu.signature.v1\",\"digest\":\"sha256:" B
    "\",\"size\":99},{\"mediaType\":\"application/vnd.volt-qemu.object.v1\",\"digest\":\"sha256:" C
    "\",\"size\":5000000000}],\"annotations\":{\"org.opencontainers.image.created\":"
    "\"2025-01-31T10:00:00Z\",\"org.opencontainers.image.title\":\"kvm-linux-aaaaaaaa\","
    "\"org.opencontainers.image.version\":\"7.2.22\"}}";

#define PROFILE_TEXT                                                                               \
    "{\"name\": \"kvm-linux\", \"created_at\": \"2025-01-31T10:00:00Z\","                          \
    " \"qemu_version\": \"7.2.22\", \"objects\": {\"bin/qemu-system-x86_64\": \"" C "\"}}"

START_TEST(the_bytes_of_a_manifest) {
    struct oci_blob signature = {{B}, 99}, objects[] = {{{C}, 5000000000}, {{A}, 0}};
    const struct oci_manifest manifest = {.config = {{A}, 321},
                                          .signatures = &signature,
                                          .signature_count = 1,
                                          .objects = objects,
                                          .object_count = 2};
    _cleanup_manifest_ vqemu_manifest *profile = NULL;
    _cleanup_free_ char *text = NULL;
    ck_assert_int_eq(
        manifest_load_memory(PROFILE_TEXT, strlen(PROFILE_TEXT), "text", 10, &profile, NULL), 0);
    ck_assert_int_eq(oci_manifest_to_text(&manifest, "kvm-linux-aaaaaaaa", profile, &text, NULL),
                     0);
    ck_assert_str_eq(text, golden);
}
END_TEST

START_TEST(they_are_read_again) {
    _cleanup_oci_manifest_ struct oci_manifest manifest = {0};
    const struct digest object = {C}, other = {A};
    ck_assert_int_eq(
        oci_manifest_load(golden, strlen(golden), "text", 1, UINT64_MAX, &manifest, NULL), 0);
    ck_assert_str_eq(manifest.config.digest.hex, A);
    ck_assert_uint_eq(manifest.config.size, 321);
    ck_assert_uint_eq(manifest.signature_count, 1);
    ck_assert_uint_eq(oci_manifest_find(&manifest, &object)->size, 5000000000);
    ck_assert_ptr_null(oci_manifest_find(&manifest, &other));
}
END_TEST

START_TEST(limits_are_held) {
    _cleanup_error_ vqemu_error *error = NULL;
    struct oci_manifest manifest;
    ck_assert_int_eq(
        oci_manifest_load(golden, strlen(golden), "text", 0, UINT64_MAX, &manifest, &error),
        VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "too-many-files");
    vqemu_error_free(error);
    error = NULL;
    ck_assert_int_eq(
        oci_manifest_load(golden, strlen(golden), "text", 1, 5000000419, &manifest, &error),
        VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "too-large");
    ck_assert_int_eq(
        oci_manifest_load(golden, strlen(golden), "text", 1, 5000000420, &manifest, NULL), 0);
    oci_manifest_release(&manifest);
}
END_TEST

START_TEST(there_and_back) {
    _cleanup_store_ vqemu_store *other = open_other_store();
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    char *digest = NULL;
    ck_assert_int_eq(
        vqemu_store_export_layout(store, revision, "layout", "v1", 0, NULL, &digest, NULL), 0);
    ck_assert_int_eq(strncmp(digest, "sha256:", 7), 0);
    ck_assert_int_eq(vqemu_store_import_layout(other, "layout", digest, NULL,
                                               VQEMU_IMPORT_ANY_PROFILE, NULL, &ingest, NULL),
                     0);
    ck_assert_str_eq(vqemu_revision_name(vqemu_ingest_revision(ingest)),
                     vqemu_revision_name(revision));
    ck_assert_uint_eq(vqemu_ingest_new_object_count(ingest), 5);
    vqemu_free(digest);
}
END_TEST

START_TEST(a_cancelled_call_leaves_nothing) {
    _cleanup_store_ vqemu_store *other = open_other_store();
    _cleanup_call_ vqemu_call *call = NULL;
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    char *digest = NULL;
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(
        vqemu_store_export_layout(store, revision, "layout", NULL, 0, call, &digest, NULL),
        VQEMU_ERR_CANCELLED);
    ck_assert_ptr_null(digest);
    ck_assert_int_eq(
        vqemu_store_export_layout(store, revision, "layout", NULL, 0, NULL, &digest, NULL), 0);
    vqemu_free(digest);
    ck_assert_int_eq(vqemu_store_import_layout(other, "layout", NULL, NULL,
                                               VQEMU_IMPORT_ANY_PROFILE, call, &ingest, NULL),
                     VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(count_entries("other/cas/refs"), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("layout");
    TCase *tests = tcase_create("layout");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_bytes_of_a_manifest);
    tcase_add_test(tests, they_are_read_again);
    tcase_add_test(tests, limits_are_held);
    tcase_add_test(tests, there_and_back);
    tcase_add_test(tests, a_cancelled_call_leaves_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
