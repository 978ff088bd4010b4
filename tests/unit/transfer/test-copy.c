/* SPDX-License-Identifier: MIT */
/* Copies from store to store. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "one-revision.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/stage.h"
#include "store/store.h"
#include "util/cleanup.h"

START_TEST(only_what_is_missing_is_copied) {
    _cleanup_store_ vqemu_store *other = open_other_store();
    vqemu_ingest *copy = NULL;
    ck_assert_int_eq(vqemu_store_copy(store, revision, other, 0, NULL, &copy, NULL), 0);
    ck_assert(vqemu_ingest_is_new(copy));
    ck_assert_uint_eq(vqemu_ingest_new_object_count(copy), 5);
    ck_assert_uint_eq(vqemu_ingest_new_bytes(copy), 22 + 3 + 6 + 8);
    ck_assert_str_eq(vqemu_revision_name(vqemu_ingest_revision(copy)),
                     vqemu_revision_name(revision));
    vqemu_ingest_free(copy);
    ck_assert_int_eq(vqemu_store_copy(store, revision, other, 0, NULL, &copy, NULL), 0);
    ck_assert(!vqemu_ingest_is_new(copy));
    ck_assert_uint_eq(vqemu_ingest_object_count(copy), 5);
    ck_assert_uint_eq(vqemu_ingest_bytes(copy), 22 + 3 + 6 + 8);
    ck_assert_uint_eq(vqemu_ingest_new_object_count(copy), 0);
    vqemu_ingest_free(copy);
    ck_assert_int_eq(vqemu_store_copy(store, revision, store, 0, NULL, &copy, NULL),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_null(copy);
}
END_TEST

START_TEST(a_copy_respects_the_limit_of_the_call) {
    _cleanup_store_ vqemu_store *other = open_other_store();
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = make_call("max_objects", 4);
    vqemu_ingest *copy = NULL;
    ck_assert_int_eq(vqemu_store_copy(store, revision, other, 0, call, &copy, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "limit of 4"));
    ck_assert_int_eq(count_entries("other/cas/refs"), 0);
}
END_TEST

/* The size that was allowed counts, not that of a moment later. */
START_TEST(what_has_grown_is_not_copied) {
    struct stage stage = STAGE_EMPTY;
    struct vqemu_progress progress = {0};
    const struct watch watch = {&progress, 0};
    struct staged staged;
    struct stat status = stat_of("profile/lib/libone.so.1");
    unsigned char *buffer = malloc(DIGEST_READ_SIZE);
    _cleanup_free_ char *path = scratch_path("profile/lib/libone.so.1");
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
    bool reading_failed = false;
    ck_assert_int_eq(stage_open(&stage, store, 1, NULL), 0);
    ck_assert_int_eq(ftruncate(fd, status.st_size + 1), 0);
    ck_assert_int_eq(stage_copy(&stage, 0, sparse_reader_of(fd, &status), (uint64_t)status.st_size,
                                false, buffer, &watch, "it", &staged, &reading_failed),
                     -EFBIG);
    ck_assert(reading_failed);
    stage_close(&stage);
    free(buffer);
}
END_TEST

START_TEST(misuse_is_refused) {
    _cleanup_store_ vqemu_store *other = open_other_store();
    vqemu_ingest *result = NULL;
    ck_assert_int_eq(vqemu_store_copy(NULL, revision, other, 0, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_copy(store, NULL, other, 0, NULL, &result, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_copy(store, revision, NULL, 0, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_copy(store, revision, other, 4, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("copy");
    TCase *tests = tcase_create("copy");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, only_what_is_missing_is_copied);
    tcase_add_test(tests, a_copy_respects_the_limit_of_the_call);
    tcase_add_test(tests, what_has_grown_is_not_copied);
    tcase_add_test(tests, misuse_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
