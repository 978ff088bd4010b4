/* SPDX-License-Identifier: MIT */
/* OCI layouts: the bytes of a manifest, what is read of one, and calls that end early. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <volt-qemu/volt-qemu.h>

#include "base/call.h"
#include "base/error.h"
#include "one-revision.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/store.h"
#include "transfer/oci-manifest.h"
#include "util/strbuf.h"

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
    struct oci_place place;
    ck_assert_int_eq(
        oci_manifest_load(golden, strlen(golden), "text", 1, UINT64_MAX, &manifest, NULL), 0);
    ck_assert_str_eq(manifest.config.digest.hex, A);
    ck_assert_uint_eq(manifest.config.size, 321);
    ck_assert_uint_eq(manifest.signature_count, 1);
    ck_assert(oci_manifest_locate(&manifest, &object, &place));
    ck_assert_uint_eq(place.size, 5000000000);
    ck_assert(!place.is_packed && place.offset == 0 && place.blob.size == place.size);
    ck_assert(!oci_manifest_locate(&manifest, &other, &place));
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
    _cleanup_free_ char *layout = scratch_path("layout");
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    char *digest = NULL;
    ck_assert_int_eq(
        vqemu_store_export_layout(store, layout, revision, "v1", 0, NULL, &digest, NULL), 0);
    ck_assert_int_eq(strncmp(digest, "sha256:", 7), 0);
    ck_assert_int_eq(vqemu_store_import_layout(other, layout, digest, NULL,
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
    _cleanup_free_ char *layout = scratch_path("layout");
    _cleanup_call_ vqemu_call *call = NULL;
    _cleanup_ingest_ vqemu_ingest *ingest = NULL;
    char *digest = NULL;
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(
        vqemu_store_export_layout(store, layout, revision, NULL, 0, call, &digest, NULL),
        VQEMU_ERR_CANCELLED);
    ck_assert_ptr_null(digest);
    ck_assert_int_eq(
        vqemu_store_export_layout(store, layout, revision, NULL, 0, NULL, &digest, NULL), 0);
    vqemu_free(digest);
    ck_assert_int_eq(vqemu_store_import_layout(other, layout, NULL, NULL, VQEMU_IMPORT_ANY_PROFILE,
                                               call, &ingest, NULL),
                     VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(count_entries("other/cas/refs"), 0);
}
END_TEST

/* ---- who writes to a layout while it is read ---- */

#define TRIES 2000
#define LARGER ((off_t)1 << 20)

/* A blob that has its size in one moment, and its content in another. */
struct changing {
    int fd;
    off_t size;
    atomic_bool is_over;
};

static void *change(void *given) {
    const struct changing *changing = given;
    while (!atomic_load(&changing->is_over) && ftruncate(changing->fd, LARGER) == 0 &&
           ftruncate(changing->fd, changing->size) == 0)
        ;
    return NULL;
}

/* Of the blob of this content, the index or OCI manifest tells another size. */
static void tell_larger_size(const char *index, const char *digest) {
    _cleanup_free_ char *text = read_file(index);
    char *entry = strstr(text, digest), *size = entry ? strstr(entry, "\"size\":") : NULL;
    ck_assert_ptr_nonnull(size);
    *size = '\0';
    const char *behind = size + strlen("'size':");
    _cleanup_free_ char *changed = format_string("%s\"size\":%jd%s", text, (intmax_t)LARGER,
                                                 behind + strspn(behind, "0123456789"));
    write_file(index, changed, 0644);
}

/* Whatever is seen of it, it is damaged: never is more taken for its content than was read. */
START_TEST(a_blob_that_changes_is_damaged) {
    _cleanup_store_ vqemu_store *other = open_other_store();
    _cleanup_free_ char *layout = scratch_path("layout");
    char *digest = NULL;
    ck_assert_int_eq(
        vqemu_store_export_layout(store, layout, revision, "v1", 0, NULL, &digest, NULL), 0);
    tell_larger_size("layout/index.json", digest);
    _cleanup_free_ char *blob =
        format_string("%s/blobs/sha256/%s", layout, digest + strlen("sha256:"));
    struct changing changing = {.fd = open(blob, O_RDWR | O_CLOEXEC)};
    struct stat status;
    pthread_t thread;
    ck_assert_int_eq(fstat(changing.fd, &status), 0);
    changing.size = status.st_size;
    ck_assert_int_eq(pthread_create(&thread, NULL, change, &changing), 0);
    for (int i = 0; i < TRIES; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_ingest *ingest = NULL;
        ck_assert_int_eq(vqemu_store_import_layout(other, layout, digest, NULL,
                                                   VQEMU_IMPORT_ANY_PROFILE, NULL, &ingest, &error),
                         VQEMU_ERR_CORRUPT);
        ck_assert_str_eq(vqemu_error_reason(error), "blob-damaged");
    }
    atomic_store(&changing.is_over, true);
    pthread_join(thread, NULL);
    close(changing.fd);
    vqemu_free(digest);
}
END_TEST

/* What cannot be read again is not written. */
START_TEST(a_manifest_is_not_too_large) {
    enum { COUNT = 30000 };
    _cleanup_manifest_ vqemu_manifest *profile = NULL;
    _cleanup_free_ struct oci_blob *objects = calloc(COUNT, sizeof *objects);
    _cleanup_error_ vqemu_error *error = NULL;
    char *text = NULL;
    for (size_t i = 0; i < COUNT; i++) {
        objects[i] = (struct oci_blob){{A}, 1};
        snprintf(objects[i].digest.hex, sizeof objects[i].digest.hex, "%064zx", i);
    }
    const struct oci_manifest manifest = {
        .config = {{A}, 321}, .objects = objects, .object_count = COUNT};
    ck_assert_int_eq(
        manifest_load_memory(PROFILE_TEXT, strlen(PROFILE_TEXT), "text", 10, &profile, NULL), 0);
    ck_assert_int_eq(oci_manifest_to_text(&manifest, "kvm-linux-aaaaaaaa", profile, &text, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "layout-too-large");
    ck_assert_ptr_null(text);
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
    tcase_add_test(tests, a_blob_that_changes_is_damaged);
    tcase_add_test(tests, a_manifest_is_not_too_large);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
