/* SPDX-License-Identifier: MIT */
/* vqemu_store_ingest(): a directory -> objects and a revision. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/object.h"
#include "store/revision.h"
#include "store/store.h"
#include "util/strbuf.h"

START_TEST(a_build_stores_content_and_modes) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    write_file("profile/bin/no-x", "in bin/", 0644);
    write_file("profile/lib/ld.so", "loader", 0755);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    ck_assert_uint_eq(vqemu_manifest_object_count(manifest), 7);
    ck_assert_uint_eq(vqemu_manifest_count_below(manifest, "bin"), 2);
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_NAME), "emulate-x86");
    ck_assert_str_eq(vqemu_manifest_string(manifest, VQEMU_MANIFEST_PROFILE), "emulate-x86");
    ck_assert_int_eq(vqemu_manifest_total_bytes(manifest), 22 + 3 + 6 + 8 + 0 + 7 + 6);
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        const char *path = vqemu_manifest_object_path(manifest, i);
        bool executable = strncmp(path, "bin/", 4) == 0 || strcmp(path, "lib/ld.so") == 0;
        _cleanup_free_ char *object = object_path(revision, path);
        struct stat status = stat_of(object);
        ck_assert_uint_eq(status.st_mode & 07777, executable ? 0555 : 0444);
        ck_assert_int_eq(status.st_mtim.tv_sec, OBJECT_MTIME);
        ck_assert_uint_eq(vqemu_manifest_object_mode(manifest, i), executable ? 0755 : 0644);
    }
    _cleanup_free_ char *firmware = object_path(revision, "firmware/bios.bin");
    _cleanup_free_ char *content = read_file(firmware);
    ck_assert_str_eq(content, "firmware");
}
END_TEST

START_TEST(a_revision_is_named_by_its_manifest) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL), *found = NULL;
    const char *digest = vqemu_manifest_digest(vqemu_revision_manifest(revision));
    ck_assert_int_eq(strncmp(vqemu_revision_name(revision), "emulate-x86-", 12), 0);
    ck_assert_int_eq(strncmp(vqemu_revision_name(revision) + 12, digest, 8), 0);
    ck_assert_int_eq(
        vqemu_store_find_revision(store, vqemu_revision_name(revision), 0, NULL, &found, NULL), 0);
    ck_assert_str_eq(vqemu_manifest_digest(vqemu_revision_manifest(found)), digest);
}
END_TEST

START_TEST(the_same_content_is_stored_once) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    write_file("profile/firmware/copy.bin", "firmware", 0644);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    ck_assert_int_eq(count_entries("store/cas/objects"), 5);
    _cleanup_revision_ vqemu_revision *same = build(store, NULL);
    ck_assert_str_eq(vqemu_revision_name(same), vqemu_revision_name(revision));
    ck_assert_int_eq(count_entries("store/cas/refs"), 1);
    write_file("profile/firmware/copy.bin", "other", 0644);
    _cleanup_revision_ vqemu_revision *other = build(store, NULL);
    ck_assert_str_ne(vqemu_revision_name(other), vqemu_revision_name(revision));
    ck_assert_int_eq(count_entries("store/cas/refs"), 2);
    ck_assert_int_eq(count_entries("store/cas/objects"), 6);
}
END_TEST

START_TEST(a_change_of_mode_is_a_change) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    write_file("profile/lib/libone.so.1", "one", 0755);
    _cleanup_revision_ vqemu_revision *other = build(store, NULL);
    ck_assert_str_ne(vqemu_revision_name(other), vqemu_revision_name(revision));
}
END_TEST

START_TEST(a_build_is_the_newest_even_if_the_clock_was_set_back) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    write_file("store/cas/refs/emulate-x86-00000000.json",
               "{\"name\":\"x\",\"created_at\":\"2999-12-31T23:59:59.999999999Z\",\"objects\":{}}",
               0644);
    write_file("profile/firmware/bios.bin", "new", 0644);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL), *newest = NULL;
    ck_assert_int_eq(vqemu_store_find_revision(store, "emulate-x86", 0, NULL, &newest, NULL), 0);
    ck_assert_str_eq(vqemu_revision_name(newest), vqemu_revision_name(revision));
    /* It does not claim a time of its own for that: other stores would refuse it. */
    ck_assert_int_lt(
        strcmp(vqemu_manifest_string(vqemu_revision_manifest(revision), VQEMU_MANIFEST_CREATED_AT),
               "2999"),
        0);
}
END_TEST

START_TEST(what_comes_later_is_newer_whatever_time_it_claims) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *first = build(store, "2025-01-31T10:00:00Z");
    write_file("profile/firmware/bios.bin", "other", 0644);
    _cleanup_revision_ vqemu_revision *second = build(store, "2001-01-31T10:00:00Z");
    _cleanup_revision_list_ vqemu_revision_list *list = NULL;
    ck_assert_int_eq(vqemu_store_list_revisions(store, "emulate-x86", 0, NULL, &list, NULL), 0);
    ck_assert_uint_eq(vqemu_revision_list_count(list), 2);
    const vqemu_revision *newest = vqemu_revision_list_at(list, 0);
    const vqemu_revision *other = vqemu_revision_list_at(list, 1);
    ck_assert_str_eq(vqemu_revision_name(newest), vqemu_revision_name(second));
    ck_assert_int_gt(strcmp(vqemu_revision_arrived_at(newest), vqemu_revision_arrived_at(other)),
                     0);
    ck_assert_ptr_null(vqemu_revision_arrived_at(NULL));
}
END_TEST

static void arrived_with(const vqemu_revision *found, const vqemu_revision *listed) {
    ck_assert_str_eq(vqemu_revision_name(found), vqemu_revision_name(listed));
    ck_assert_str_eq(vqemu_revision_arrived_at(found), vqemu_revision_arrived_at(listed));
}

START_TEST(when_it_came_is_told_however_it_was_found) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *built = build(store, NULL), *again = build(store, NULL);
    const char *const names[] = {"emulate-x86", vqemu_revision_name(built)};
    _cleanup_revision_list_ vqemu_revision_list *list = NULL;
    ck_assert_int_eq(vqemu_store_list_revisions(store, NULL, 0, NULL, &list, NULL), 0);
    const vqemu_revision *listed = vqemu_revision_list_at(list, 0);
    ck_assert_ptr_nonnull(vqemu_revision_arrived_at(listed));
    arrived_with(built, listed);
    arrived_with(again, listed);
    usleep(150000);               /* what has just been written is not remembered */
    for (int i = 0; i < 4; i++) { /* read, and remembered */
        _cleanup_revision_ vqemu_revision *found = NULL;
        ck_assert_int_eq(vqemu_store_find_revision(store, names[i % 2], 0, NULL, &found, NULL), 0);
        arrived_with(found, listed);
    }
}
END_TEST

START_TEST(a_given_time_makes_builds_reproducible) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *a = build(store, "2025-01-31T10:00:00Z");
    _cleanup_revision_ vqemu_revision *b = build(store, "2025-01-31T10:00:00Z");
    _cleanup_revision_ vqemu_revision *c = build(store, "2025-01-31T11:00:00Z");
    ck_assert_str_eq(vqemu_revision_name(a), vqemu_revision_name(b));
    ck_assert_str_ne(vqemu_revision_name(a), vqemu_revision_name(c));
}
END_TEST

START_TEST(a_damaged_object_is_replaced_and_nothing_else) {
    static const char *const damages[] = {"content", "link", "directory"};
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_free_ char *path = object_path(revision, "firmware/bios.bin");
    ck_assert_int_eq(unlink(path), 0);
    if (strcmp(damages[_i], "content") == 0)
        write_file(path, "Firmware", 0444);
    else if (strcmp(damages[_i], "link") == 0)
        ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    else
        ck_assert_int_eq(mkdir(path, 0755), 0);
    _cleanup_revision_ vqemu_revision *again = build(store, NULL);
    ck_assert(S_ISREG(stat_of(path).st_mode));
    _cleanup_free_ char *content = read_file(path);
    ck_assert_str_eq(content, "firmware");
}
END_TEST

START_TEST(links_inside_are_stored_as_files) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    ck_assert_int_eq(symlinkat("libone.so.1", scratch_fd, "profile/lib/libone.so"), 0);
    ck_assert_int_eq(symlinkat("../lib/./libone.so", scratch_fd, "profile/firmware/l"), 0);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_free_ char *a = object_path(revision, "firmware/l"),
                        *b = object_path(revision, "lib/libone.so.1");
    ck_assert_str_eq(a, b);
}
END_TEST

START_TEST(other_links_are_refused_by_name) {
    static const char *const targets[] = {"/etc/passwd", "../../outside", "loop", "qemu"};
    write_file("outside", "secret", 0644);
    ck_assert_int_eq(symlinkat(targets[_i], scratch_fd, "profile/lib/loop"), 0);
    build_fails(VQEMU_ERR_UNSUPPORTED, "/profile/lib/loop");
    ck_assert_int_eq(count_entries("store/cas/objects"), 0);
}
END_TEST

START_TEST(a_dangling_link_is_refused_by_name) {
    ck_assert_int_eq(symlinkat("missing", scratch_fd, "profile/lib/link"), 0);
    build_fails(VQEMU_ERR_NOT_FOUND, "/profile/lib/link");
}
END_TEST

START_TEST(what_is_no_file_is_refused_by_name) {
    ck_assert_int_eq(mkfifoat(scratch_fd, "profile/lib/fifo", 0644), 0);
    build_fails(VQEMU_ERR_UNSUPPORTED, "/profile/lib/fifo is a device, socket or FIFO");
}
END_TEST

START_TEST(names_that_no_manifest_can_hold_are_refused) {
    static const struct {
        const char *name, *mentioned;
    } cases[] = {
        {"profile/lib/not\xffutf8", "not UTF-8"},
        {"profile/lib/new\nline", "new\\x0Aline"},
        {"profile/lib/back\\slash", "a backslash"},
        {"profile/.volt-tree", "stamp file"},
        {"profile/firmware/BIOS.bin", "differ only in case"},
    };
    write_file(cases[_i].name, "x", 0644);
    build_fails(strstr(cases[_i].name, "BIOS") ? VQEMU_ERR_MALFORMED : VQEMU_ERR_INVALID,
                cases[_i].mentioned);
}
END_TEST

START_TEST(a_directory_without_a_program_is_no_profile) {
    ck_assert_int_eq(unlinkat(scratch_fd, "profile/bin/qemu-system-x86_64", 0), 0);
    build_fails(VQEMU_ERR_INVALID, "it has no bin/qemu-system-*");
}
END_TEST

START_TEST(a_digest_is_for_archives) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_error_ vqemu_error *error = NULL;
    const char *digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    vqemu_ingest_options *options = NULL;
    vqemu_ingest *result = NULL;
    ck_assert_int_eq(vqemu_ingest_options_new(&options, NULL), 0);
    ck_assert_int_eq(
        vqemu_ingest_options_set_string(options, VQEMU_INGEST_PROFILE, "emulate-x86", NULL), 0);
    ck_assert_int_eq(vqemu_ingest_options_set_string(options, VQEMU_INGEST_DIGEST, digest, NULL),
                     0);
    ck_assert_int_eq(vqemu_store_ingest(store, "profile", options, 0, NULL, &result, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), VQEMU_INGEST_DIGEST);
    vqemu_ingest_options_free(options);
}
END_TEST

START_TEST(a_missing_directory_is_named) {
    ck_assert_int_eq(renameat(scratch_fd, "profile", scratch_fd, "elsewhere"), 0);
    build_fails(VQEMU_ERR_NOT_FOUND, "/profile");
    _cleanup_store_ vqemu_store *store = open_store(0);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_ingest_options *options = make_ingest_options("profile", "emulate-x86");
    vqemu_ingest *result = NULL;
    ck_assert_int_eq(vqemu_store_ingest(store, "nodir", options, 0, NULL, &result, &error),
                     VQEMU_ERR_NOT_FOUND);
    ck_assert_str_eq(vqemu_error_detail(error, "path"), "nodir");
    vqemu_ingest_options_free(options);
}
END_TEST

static void build_unreadable(const char *name) {
    _cleanup_free_ char *path = format_string("%s/profile/%s", scratch, name);
    ck_assert_int_eq(chmod(path, 0), 0);
    build_fails(VQEMU_ERR_SYSTEM, path);
    ck_assert_int_eq(chmod(path, 0755), 0);
}

/* Root may read everything, so an ordinary user does this, with a scratch directory of its own. */
START_TEST(what_may_not_be_read_is_named) {
    static const char *const names[] = {"lib/qemu", "lib/libone.so.1"};
    pid_t child = fork();
    if (child == 0) {
        if (getuid() == 0 && setuid(65534) < 0)
            _exit(1);
        make_scratch();
        build_unreadable(names[_i]);
        remove_scratch();
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

static int stop_at(const vqemu_progress *progress, void *userdata) {
    ck_assert_str_eq(vqemu_progress_step(progress), "hash");
    ck_assert_str_eq(vqemu_progress_unit(progress), "bytes");
    ck_assert_uint_eq(vqemu_progress_total(progress), 22 + 3 + 6 + 8);
    ck_assert_uint_le(vqemu_progress_done(progress), vqemu_progress_total(progress));
    usleep(LONGER_THAN_INTERVAL);
    const char *item = vqemu_progress_item(progress);
    return item && strcmp(item, userdata) == 0;
}

START_TEST(a_build_can_be_cancelled) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    char item[] = "lib/libone.so.1";
    _cleanup_call_ vqemu_call *call = make_watched_call(stop_at, item);
    vqemu_ingest *result = NULL;
    ck_assert_int_eq(ingest(store, call, &result, NULL), VQEMU_ERR_CANCELLED);
    ck_assert_ptr_null(result);
    ck_assert(vqemu_call_is_cancelled(call));
    ck_assert_int_eq(ingest(store, call, &result, NULL), VQEMU_ERR_CANCELLED); /* and stays so */
    ck_assert_int_eq(count_leftovers(), 0);
    ck_assert_int_eq(count_entries("store/cas/objects"), 0);
    ck_assert_int_eq(count_entries("store/cas/refs"), 0);
}
END_TEST

static int change_source(const vqemu_progress *progress, void *userdata) {
    (void)userdata;
    usleep(LONGER_THAN_INTERVAL);
    const char *item = vqemu_progress_item(progress);
    if (item && strcmp(item, "lib/libone.so.1") == 0)
        write_file("profile/lib/libone.so.1", "two", 0644);
    return 0;
}

START_TEST(a_source_that_changes_is_refused) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = make_watched_call(change_source, NULL);
    vqemu_ingest *result = NULL;
    ck_assert_int_eq(ingest(store, call, &result, &error), VQEMU_ERR_CHANGED);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "lib/libone.so.1 changed"));
    ck_assert_int_eq(count_leftovers(), 0);
    ck_assert_int_eq(count_entries("store/cas/refs"), 0);
}
END_TEST

START_TEST(only_profiles_of_the_table_are_built) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_ingest_options *options = make_ingest_options("profile", "other");
    vqemu_ingest *result = NULL;
    ck_assert_int_eq(vqemu_store_ingest(store, scratch, options, 0, NULL, &result, NULL),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_ingest(store, scratch, NULL, 0, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    vqemu_ingest_options_free(options);
}
END_TEST

START_TEST(what_a_dead_build_left_is_cleared_away) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    write_file("store/cas/tmp/.volt-new-dead/0", "x", 0600);
    write_file("store/cas/refs/.volt-new-dead", "x", 0600);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL); /* counts leftovers */
}
END_TEST

START_TEST(the_result_tells_what_is_new) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_ingest_ vqemu_ingest *first = NULL, *again = NULL, *other = NULL;
    write_file("profile/firmware/copy.bin", "firmware", 0644);
    ck_assert_int_eq(ingest(store, NULL, &first, NULL), 0);
    ck_assert(vqemu_ingest_is_new(first));
    ck_assert_uint_eq(vqemu_ingest_object_count(first), 6);
    ck_assert_uint_eq(vqemu_ingest_bytes(first), 22 + 3 + 6 + 8 + 8);
    ck_assert_uint_eq(vqemu_ingest_new_object_count(first), 5);
    ck_assert_uint_eq(vqemu_ingest_new_bytes(first), 22 + 3 + 6 + 8);
    ck_assert_int_eq(ingest(store, NULL, &again, NULL), 0);
    ck_assert(!vqemu_ingest_is_new(again));
    ck_assert_uint_eq(vqemu_ingest_object_count(again), 6);
    ck_assert_uint_eq(vqemu_ingest_new_object_count(again), 0);
    ck_assert_uint_eq(vqemu_ingest_new_bytes(again), 0);
    write_file("profile/firmware/copy.bin", "other", 0644);
    ck_assert_int_eq(ingest(store, NULL, &other, NULL), 0);
    ck_assert(vqemu_ingest_is_new(other));
    ck_assert_uint_eq(vqemu_ingest_new_object_count(other), 1);
    ck_assert_uint_eq(vqemu_ingest_new_bytes(other), 5);
    ck_assert_ptr_null(vqemu_ingest_revision(NULL));
    ck_assert(!vqemu_ingest_is_new(NULL));
    ck_assert_uint_eq(vqemu_ingest_object_count(NULL) + vqemu_ingest_new_object_count(NULL), 0);
    ck_assert_uint_eq(vqemu_ingest_bytes(NULL) + vqemu_ingest_new_bytes(NULL), 0);
}
END_TEST

START_TEST(options_are_checked) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_ingest_options *options = NULL;
    ck_assert_int_eq(vqemu_ingest_options_new(NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_ingest_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_ingest_options_set_string(options, "created_at", "now", &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "created_at");
    ck_assert_int_eq(
        vqemu_ingest_options_set_string(options, "created_at", "2999-01-01T00:00:00Z", &error),
        VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "from-the-future");
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "created_at");
    ck_assert_int_eq(vqemu_ingest_options_set_string(options, "digest", "sha256:0", &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_ingest_options_set_string(options, "build_host", "\xff", &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_ingest_options_set_string(options, "color", "red", &error),
                     VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_ptr_nonnull(strstr(vqemu_error_detail(error, "choices"), "build_date"));
    ck_assert_int_eq(vqemu_ingest_options_set_string(options, NULL, "x", &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_ingest_options_set_string(NULL, "profile", "x", &error),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_ingest_options_set_string(options, "created_at", NULL, &error), 0);
    ck_assert_ptr_null(error);
    vqemu_ingest_options_free(options);
    vqemu_ingest_options_free(NULL);
}
END_TEST

START_TEST(misuse_is_refused) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_ingest_options *options = make_ingest_options(NULL, NULL);
    vqemu_ingest *result = NULL;
    ck_assert_int_eq(vqemu_store_ingest(NULL, scratch, options, 0, NULL, &result, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_detail(error, "argument"), "store");
    ck_assert_int_eq(vqemu_store_ingest(store, NULL, options, 0, NULL, &result, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_ingest(store, scratch, options, 0, NULL, NULL, NULL),
                     VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_ingest(store, scratch, options, 2, NULL, &result, &error),
                     VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_reason(error), "unknown-flags");
    vqemu_ingest_options_free(options);
}
END_TEST

START_TEST(a_deadline_ends_it) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_call_ vqemu_call *call = make_call("deadline_ms", 1);
    vqemu_ingest *result = NULL;
    usleep(2000);
    ck_assert_int_eq(ingest(store, call, &result, NULL), VQEMU_ERR_TIMEOUT);
    ck_assert_int_eq(count_leftovers(), 0);
    ck_assert_int_eq(count_entries("store/cas/refs"), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("build");
    TCase *tests = tcase_create("build");
    tcase_add_checked_fixture(tests, make_scratch, remove_scratch);
    tcase_add_test(tests, a_build_stores_content_and_modes);
    tcase_add_test(tests, a_revision_is_named_by_its_manifest);
    tcase_add_test(tests, the_same_content_is_stored_once);
    tcase_add_test(tests, a_change_of_mode_is_a_change);
    tcase_add_test(tests, a_build_is_the_newest_even_if_the_clock_was_set_back);
    tcase_add_test(tests, what_comes_later_is_newer_whatever_time_it_claims);
    tcase_add_test(tests, when_it_came_is_told_however_it_was_found);
    tcase_add_test(tests, a_given_time_makes_builds_reproducible);
    tcase_add_loop_test(tests, a_damaged_object_is_replaced_and_nothing_else, 0, 3);
    tcase_add_test(tests, links_inside_are_stored_as_files);
    tcase_add_loop_test(tests, other_links_are_refused_by_name, 0, 4);
    tcase_add_test(tests, a_dangling_link_is_refused_by_name);
    tcase_add_test(tests, what_is_no_file_is_refused_by_name);
    tcase_add_loop_test(tests, names_that_no_manifest_can_hold_are_refused, 0, 5);
    tcase_add_test(tests, a_directory_without_a_program_is_no_profile);
    tcase_add_test(tests, a_digest_is_for_archives);
    tcase_add_test(tests, a_missing_directory_is_named);
    tcase_add_loop_test(tests, what_may_not_be_read_is_named, 0, 2);
    tcase_add_test(tests, a_build_can_be_cancelled);
    tcase_add_test(tests, a_source_that_changes_is_refused);
    tcase_add_test(tests, only_profiles_of_the_table_are_built);
    tcase_add_test(tests, what_a_dead_build_left_is_cleared_away);
    tcase_add_test(tests, the_result_tells_what_is_new);
    tcase_add_test(tests, options_are_checked);
    tcase_add_test(tests, misuse_is_refused);
    tcase_add_test(tests, a_deadline_ends_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
