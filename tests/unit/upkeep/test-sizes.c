/* SPDX-License-Identifier: MIT */
/* What revisions take on disk, and share: beside what stat(2) says of their objects. */
#include <volt-qemu/sizes.h>

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/strbuf.h"

#define BIOS "firmware/bios.bin"
#define LIBRARY "lib/libone.so.1"
#define PROGRAM "bin/qemu-system-x86_64"
#define NOBODY 65534

static vqemu_store *store;
static vqemu_revision *first, *second; /* they differ in the BIOS */

static void make_store(void) {
    make_scratch();
    store = open_store(VQEMU_STORE_CREATE);
    first = build(store, "2025-01-31T10:00:00Z");
    write_file("profile/" BIOS, "another", 0644);
    second = build(store, "2025-02-01T10:00:00Z");
}

static void remove_store(void) {
    vqemu_revision_unref(first);
    vqemu_revision_unref(second);
    vqemu_store_unref(store);
    remove_scratch();
}

static vqemu_size_list *list_sizes(const char *profile) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_size_list *list = NULL;
    int r = vqemu_store_list_sizes(store, profile, 0, NULL, &list, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return list;
}

static vqemu_revision *build_as(const char *profile) {
    _cleanup_free_ char *directory = scratch_path("profile");
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    vqemu_ingest_options *options = make_ingest_options("profile", profile);
    ck_assert_int_eq(vqemu_store_ingest(store, directory, options, 0, NULL, &result, NULL), 0);
    vqemu_ingest_options_free(options);
    return vqemu_revision_ref(vqemu_ingest_revision(result));
}

static size_t find(const vqemu_size_list *list, const vqemu_revision *revision) {
    for (size_t i = 0; i < vqemu_size_list_count(list); i++)
        if (strcmp(vqemu_size_list_revision_name(list, i), vqemu_revision_name(revision)) == 0)
            return i;
    ck_abort_msg("%s is not told", vqemu_revision_name(revision));
}

/* ---- what stat(2) says ---- */

static int64_t room_of(const vqemu_revision *revision, const char *path) {
    _cleanup_free_ char *object = object_path(revision, path);
    return (int64_t)stat_of(object).st_blocks * 512;
}

/* Of a revision of which all files have other contents. */
static int64_t room_of_all(const vqemu_revision *revision) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    int64_t sum = 0;
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++)
        sum += room_of(revision, vqemu_manifest_object_path(manifest, i));
    return sum;
}

static void is_told(const vqemu_size_list *list, const vqemu_revision *revision, int64_t bytes,
                    int64_t own) {
    size_t i = find(list, revision);
    ck_assert_int_eq(vqemu_size_list_bytes(list, i), bytes);
    ck_assert_int_eq(vqemu_size_list_own_bytes(list, i), own);
    ck_assert_int_eq(vqemu_size_list_shared_bytes(list, i), bytes - own);
    ck_assert_int_eq(vqemu_size_list_missing_count(list, i), 0);
}

static void shares(const vqemu_size_list *list, const vqemu_revision *revision, size_t sharer,
                   const vqemu_revision *with, int64_t bytes) {
    size_t i = find(list, revision);
    ck_assert_str_eq(vqemu_size_list_sharer_name(list, i, sharer), vqemu_revision_name(with));
    ck_assert_int_eq(vqemu_size_list_sharer_bytes(list, i, sharer), bytes);
}

static size_t count_sharers(const vqemu_size_list *list, const vqemu_revision *revision) {
    return vqemu_size_list_sharer_count(list, find(list, revision));
}

/* ---- sharing ---- */

START_TEST(two_share_what_both_have) {
    vqemu_size_list *list = list_sizes(NULL);
    int64_t all = room_of_all(first), bios = room_of(first, BIOS);
    ck_assert_int_gt(bios, 0);
    ck_assert_uint_eq(vqemu_size_list_count(list), 2);
    ck_assert(vqemu_size_list_is_complete(list));
    ck_assert_str_eq(vqemu_size_list_revision_name(list, 0), vqemu_revision_name(second));
    is_told(list, first, all, bios);
    is_told(list, second, room_of_all(second), room_of(second, BIOS));
    ck_assert_uint_eq(count_sharers(list, first), 1);
    shares(list, first, 0, second, all - bios);
    shares(list, second, 0, first, all - bios);
    ck_assert_int_eq(vqemu_size_list_total_bytes(list), all + room_of(second, BIOS));
    vqemu_size_list_free(list);
}
END_TEST

/* The third has the program of the others, and the BIOS of the second. */
START_TEST(of_three_the_one_that_shares_most_comes_first) {
    write_file("profile/" LIBRARY, "a library of its own", 0644);
    _cleanup_revision_ vqemu_revision *third = build_as("kvm-linux");
    vqemu_size_list *list = list_sizes(NULL);
    int64_t all = room_of_all(third), library = room_of(third, LIBRARY),
            bios = room_of(third, BIOS);
    ck_assert_uint_eq(vqemu_size_list_count(list), 3);
    ck_assert_str_eq(vqemu_size_list_revision_name(list, 2), vqemu_revision_name(third));
    is_told(list, third, all, library);
    ck_assert_uint_eq(count_sharers(list, third), 2);
    shares(list, third, 0, second, all - library);
    shares(list, third, 1, first, all - library - bios);
    is_told(list, second, room_of_all(second), 0);
    ck_assert_uint_eq(count_sharers(list, second), 2);
    is_told(list, first, room_of_all(first), room_of(first, BIOS));
    ck_assert_int_eq(vqemu_size_list_total_bytes(list),
                     all + room_of(first, BIOS) + room_of(first, LIBRARY));
    vqemu_size_list_free(list);
}
END_TEST

START_TEST(those_of_other_profiles_count_although_they_are_not_told) {
    _cleanup_revision_ vqemu_revision *same = build_as("kvm-linux");
    vqemu_size_list *list = list_sizes("kvm-linux"), *all = list_sizes(NULL);
    ck_assert_uint_eq(vqemu_size_list_count(list), 1);
    is_told(list, same, room_of_all(same), 0);
    ck_assert_uint_eq(count_sharers(list, same), 2);
    shares(list, same, 0, second, room_of_all(same));
    ck_assert_int_eq(vqemu_size_list_total_bytes(list), vqemu_size_list_total_bytes(all));
    vqemu_size_list_free(list);
    vqemu_size_list_free(all);
    list = list_sizes("kvm-uefi"); /* it has no revision */
    ck_assert_uint_eq(vqemu_size_list_count(list), 0);
    vqemu_size_list_free(list);
}
END_TEST

START_TEST(what_is_own_is_what_a_collection_frees) {
    vqemu_collection *collection = NULL;
    vqemu_size_list *list = list_sizes(NULL);
    int64_t own = vqemu_size_list_own_bytes(list, find(list, first)), freed = 0;
    vqemu_size_list_free(list);
    ck_assert_int_eq(collect_keeping(store, 1, 0, NULL, &collection, NULL), 0);
    for (size_t i = 0; i < vqemu_collection_count(collection); i++)
        if (strcmp(vqemu_collection_kind(collection, i), "object") == 0)
            freed += (int64_t)vqemu_collection_bytes(collection, i);
    ck_assert_int_eq(freed, own);
    vqemu_collection_free(collection);
    list = list_sizes(NULL);
    ck_assert_uint_eq(vqemu_size_list_count(list), 1);
    is_told(list, second, room_of_all(second), room_of_all(second));
    ck_assert_uint_eq(count_sharers(list, second), 0);
    vqemu_size_list_free(list);
}
END_TEST

START_TEST(an_empty_store_takes_nothing) {
    _cleanup_store_ vqemu_store *other = open_other_store();
    vqemu_size_list *list = NULL;
    ck_assert_int_eq(vqemu_store_list_sizes(other, NULL, 0, NULL, &list, NULL), 0);
    ck_assert_uint_eq(vqemu_size_list_count(list), 0);
    ck_assert_int_eq(vqemu_size_list_total_bytes(list), 0);
    ck_assert(vqemu_size_list_is_complete(list));
    vqemu_size_list_free(list);
}
END_TEST

/* ---- what is counted ---- */

START_TEST(one_content_counts_once) {
    write_file("profile/lib/again", "one", 0644); /* as LIBRARY */
    _cleanup_revision_ vqemu_revision *third = build(store, NULL);
    vqemu_size_list *list = list_sizes(NULL);
    is_told(list, third, room_of_all(third) - room_of(third, LIBRARY), 0);
    vqemu_size_list_free(list);
}
END_TEST

START_TEST(holes_take_no_room) {
    static const off_t size = (off_t)64 << 20;
    _cleanup_free_ char *path = scratch_path("profile/firmware/code.fd");
    write_file("profile/firmware/code.fd", "code", 0644);
    ck_assert_int_eq(truncate(path, size), 0);
    _cleanup_revision_ vqemu_revision *third = build(store, NULL);
    _cleanup_free_ char *object = object_path(third, "firmware/code.fd");
    ck_assert_int_eq(stat_of(object).st_size, size);
    vqemu_size_list *list = list_sizes(NULL);
    is_told(list, third, room_of_all(third), room_of(third, "firmware/code.fd"));
    ck_assert_int_lt(vqemu_size_list_bytes(list, find(list, third)), size / 8);
    vqemu_size_list_free(list);
}
END_TEST

/* The program is also there as what is not to be executed. */
START_TEST(the_inode_of_the_other_mode_class_counts) {
    write_file("profile/lib/also-a-program", "#!/bin/sh\necho x86_64\n", 0644);
    _cleanup_revision_ vqemu_revision *both = build(store, NULL);
    vqemu_runtime_unref(resolve(store, 0));
    ck_assert_int_eq(count_entries("store/cas/alt"), 1);
    int64_t program = room_of(both, PROGRAM); /* which room_of_all() takes twice: for two inodes */
    vqemu_size_list *list = list_sizes(NULL);
    is_told(list, both, room_of_all(both), 0);
    is_told(list, second, room_of_all(second) + program, 0);
    is_told(list, first, room_of_all(first) + program, room_of(first, BIOS));
    vqemu_size_list_free(list);
}
END_TEST

/* ---- what is not as it should be ---- */

static void replace_object(const char *object, bool by_link) {
    ck_assert_int_eq(unlink(object), 0);
    if (by_link)
        ck_assert_int_eq(symlink("/bin/sh", object), 0);
}

/* _i: whether something else is in its place. */
START_TEST(missing_objects_are_counted_and_nothing_else) {
    int64_t all = room_of_all(first), bios = room_of(first, BIOS),
            library = room_of(first, LIBRARY), other = room_of(second, BIOS);
    _cleanup_free_ char *own = object_path(first, BIOS), *shared = object_path(first, LIBRARY);
    replace_object(own, _i);
    replace_object(shared, _i);
    vqemu_size_list *list = list_sizes(NULL);
    size_t i = find(list, first);
    ck_assert_int_eq(vqemu_size_list_missing_count(list, i), 2);
    ck_assert_int_eq(vqemu_size_list_missing_count(list, find(list, second)), 1);
    ck_assert_int_eq(vqemu_size_list_bytes(list, i), all - bios - library);
    ck_assert_int_eq(vqemu_size_list_own_bytes(list, i), 0);
    shares(list, first, 0, second, all - bios - library);
    ck_assert_int_eq(vqemu_size_list_total_bytes(list), all - bios - library + other);
    ck_assert(vqemu_size_list_is_complete(list));
    vqemu_size_list_free(list);
}
END_TEST

START_TEST(of_a_broken_one_only_the_name_is_told) {
    write_file(vqemu_revision_path(first), "{", 0644);
    vqemu_size_list *list = list_sizes(NULL);
    size_t i = find(list, first);
    ck_assert_uint_eq(vqemu_size_list_count(list), 2);
    ck_assert_int_eq(vqemu_size_list_bytes(list, i), -1);
    ck_assert_int_eq(vqemu_size_list_own_bytes(list, i), -1);
    ck_assert_int_eq(vqemu_size_list_shared_bytes(list, i), -1);
    ck_assert_int_eq(vqemu_size_list_missing_count(list, i), -1);
    ck_assert_uint_eq(vqemu_size_list_sharer_count(list, i), 0);
    is_told(list, second, room_of_all(second), room_of_all(second));
    ck_assert_int_eq(vqemu_size_list_total_bytes(list), room_of_all(second));
    ck_assert(!vqemu_size_list_is_complete(list));
    vqemu_size_list_free(list);
    list = list_sizes("kvm-linux"); /* whose own may be of the broken one, too */
    ck_assert(!vqemu_size_list_is_complete(list));
    vqemu_size_list_free(list);
}
END_TEST

/* A path that cannot be looked at says nothing of whether there is an object. */
static int look_as_nobody(void) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_size_list *list = NULL;
    _cleanup_store_ vqemu_store *mine = open_store(0);
    _cleanup_free_ char *objects = scratch_path("store/cas/objects");
    if (chmod(objects, 0744) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
        return SKIPPED;
    int r = vqemu_store_list_sizes(mine, NULL, 0, NULL, &list, &error);
    const char *path = vqemu_error_detail(error, VQEMU_DETAIL_PATH);
    return r == VQEMU_ERR_SYSTEM && !list && path && strncmp(path, objects, strlen(objects)) == 0 &&
                   strstr(vqemu_error_message(error), path)
               ? 0
               : 1;
}

START_TEST(what_cannot_be_looked_at_is_not_missing) {
    child_succeeds(look_as_nobody);
}
END_TEST

/* ---- calls ---- */

static void cancel(const vqemu_log_record *record, void *call) {
    ck_assert_str_eq(vqemu_log_record_event(record), "revision-broken");
    vqemu_call_cancel(call);
}

START_TEST(a_call_can_be_given_up) {
    _cleanup_call_ vqemu_call *cancelled = make_call(NULL, 0), *late = make_call("deadline_ms", 1),
                              *soon = make_call(NULL, 0);
    vqemu_size_list *list = NULL;
    vqemu_call_cancel(cancelled);
    usleep(2000);
    ck_assert_int_eq(vqemu_store_list_sizes(store, NULL, 0, cancelled, &list, NULL),
                     VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(vqemu_store_list_sizes(store, NULL, 0, late, &list, NULL), VQEMU_ERR_TIMEOUT);
    write_file(vqemu_revision_path(first), "{", 0644);
    ck_assert_int_eq(vqemu_call_set_log(soon, cancel, soon, NULL), 0);
    ck_assert_int_eq(vqemu_store_list_sizes(store, NULL, 0, soon, &list, NULL),
                     VQEMU_ERR_CANCELLED);
    ck_assert_ptr_null(list);
}
END_TEST

START_TEST(a_collection_is_waited_for) {
    _cleanup_call_ vqemu_call *call = make_call("lock_timeout_ms", 50);
    _cleanup_free_ char *path = scratch_path("store/cas/objects");
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    vqemu_size_list *list = NULL;
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert_int_eq(vqemu_store_list_sizes(store, NULL, 0, call, &list, NULL), VQEMU_ERR_BUSY);
    ck_assert_ptr_null(list);
}
END_TEST

START_TEST(mistakes_of_callers_are_told) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_size_list *list = (vqemu_size_list *)&error; /* must become NULL */
    ck_assert_int_eq(vqemu_store_list_sizes(NULL, NULL, 0, NULL, &list, &error), VQEMU_ERR_USAGE);
    ck_assert_ptr_null(list);
    ck_assert_int_eq(vqemu_store_list_sizes(store, NULL, 0, NULL, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_list_sizes(store, NULL, 1, NULL, &list, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_list_sizes(store, "../x", 0, NULL, &list, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_ptr_null(list);
    ck_assert_uint_eq(vqemu_size_list_count(NULL), 0);
    ck_assert_int_eq(vqemu_size_list_total_bytes(NULL), -1);
    ck_assert(!vqemu_size_list_is_complete(NULL));
    ck_assert_ptr_null(vqemu_size_list_revision_name(NULL, 0));
    vqemu_size_list_free(NULL);
    list = list_sizes(NULL);
    ck_assert_ptr_null(vqemu_size_list_revision_name(list, 2));
    ck_assert_int_eq(vqemu_size_list_bytes(list, 2), -1);
    ck_assert_int_eq(vqemu_size_list_own_bytes(list, 2), -1);
    ck_assert_int_eq(vqemu_size_list_shared_bytes(list, 2), -1);
    ck_assert_int_eq(vqemu_size_list_missing_count(list, 2), -1);
    ck_assert_uint_eq(vqemu_size_list_sharer_count(list, 2), 0);
    ck_assert_ptr_null(vqemu_size_list_sharer_name(list, 0, 1));
    ck_assert_int_eq(vqemu_size_list_sharer_bytes(list, 0, 1), -1);
    vqemu_size_list_free(list);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sizes");
    TCase *tests = tcase_create("sizes");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, two_share_what_both_have);
    tcase_add_test(tests, of_three_the_one_that_shares_most_comes_first);
    tcase_add_test(tests, those_of_other_profiles_count_although_they_are_not_told);
    tcase_add_test(tests, what_is_own_is_what_a_collection_frees);
    tcase_add_test(tests, an_empty_store_takes_nothing);
    tcase_add_test(tests, one_content_counts_once);
    tcase_add_test(tests, holes_take_no_room);
    tcase_add_test(tests, the_inode_of_the_other_mode_class_counts);
    tcase_add_loop_test(tests, missing_objects_are_counted_and_nothing_else, 0, 2);
    tcase_add_test(tests, of_a_broken_one_only_the_name_is_told);
    tcase_add_test(tests, what_cannot_be_looked_at_is_not_missing);
    tcase_add_test(tests, a_call_can_be_given_up);
    tcase_add_test(tests, a_collection_is_waited_for);
    tcase_add_test(tests, mistakes_of_callers_are_told);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
