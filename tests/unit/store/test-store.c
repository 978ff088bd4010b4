/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/revision.h"
#include "tree/runtime.h"
#include "util/strbuf.h"

START_TEST(a_missing_store_is_named) {
    _cleanup_free_ char *root = scratch_path("store");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_store *store = (vqemu_store *)&error;
    ck_assert_int_eq(vqemu_store_open_root(root, 0, &store, &error), VQEMU_ERR_NO_STORE);
    ck_assert_str_eq(vqemu_error_reason(error), "no-store");
    ck_assert_ptr_nonnull(strstr(vqemu_error_detail(error, "path"), root));
    ck_assert_ptr_null(store);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), root));
    ck_assert(!exists("store"));
}
END_TEST

START_TEST(a_store_is_made_if_asked_for) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_store_ vqemu_store *again = open_store(VQEMU_STORE_CREATE);
    _cleanup_store_ vqemu_store *plain = open_store(0);
    ck_assert(exists("store/cas/objects") && exists("store/cas/refs") &&
              exists("store/qemu/trees"));
}
END_TEST

START_TEST(flags_are_checked) {
    static const uint32_t flags[] = {8, 0x80000000, VQEMU_STORE_CREATE | VQEMU_STORE_READ_ONLY};
    for (size_t i = 0; i < 3; i++) {
        vqemu_store *store = NULL;
        ck_assert_int_eq(vqemu_store_open_root(scratch, flags[i], &store, NULL), VQEMU_ERR_USAGE);
        ck_assert_ptr_null(store);
    }
    vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_open_root("", 0, &store, NULL), VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_open_root(NULL, 0, &store, NULL), VQEMU_ERR_USAGE);
}
END_TEST

/* Whoever can write there has programs of his own run. */
START_TEST(a_store_that_others_may_write_to_is_refused) {
    static const char *const parts[] = {"store/cas/objects", "store/cas/refs", "store/qemu/trees"};
    static const mode_t modes[] = {0775, 0757, 01777};
    _cleanup_free_ char *root = scratch_path("store");
    vqemu_store_unref(open_store(VQEMU_STORE_CREATE));
    for (size_t i = 0; i < 9; i++) {
        vqemu_store *store = NULL;
        _cleanup_error_ vqemu_error *error = NULL;
        _cleanup_free_ char *path = scratch_path(parts[i / 3]);
        ck_assert_int_eq(chmod(path, modes[i % 3]), 0);
        ck_assert_int_eq(vqemu_store_open_root(root, 0, &store, &error), VQEMU_ERR_REFUSED);
        ck_assert_ptr_null(store);
        ck_assert_str_eq(vqemu_error_reason(error), "untrusted-store");
        ck_assert_str_eq(vqemu_error_detail(error, "path"), path);
        ck_assert_int_eq(vqemu_store_open_root(root, VQEMU_STORE_ALLOW_OTHERS, &store, &error), 0);
        vqemu_store_unref(store);
        ck_assert_int_eq(chmod(path, 0755), 0);
    }
}
END_TEST

/* Whoever can put another directory in the place of one. */
START_TEST(a_store_in_a_directory_of_others_is_refused) {
    static const char *const parts[] = {"store", "store/cas", "store/qemu"};
    _cleanup_free_ char *root = scratch_path("store");
    vqemu_store_unref(open_store(VQEMU_STORE_CREATE));
    for (size_t i = 0; i < 6; i++) {
        vqemu_store *store = NULL;
        _cleanup_error_ vqemu_error *error = NULL;
        _cleanup_free_ char *path = scratch_path(parts[i / 2]);
        uid_t other = geteuid() == 0 && i % 2 ? 12345 : geteuid();
        ck_assert_int_eq(chmod(path, other == geteuid() ? 0775 : 0755), 0);
        ck_assert_int_eq(chown(path, other, (gid_t)-1), 0);
        ck_assert_int_eq(vqemu_store_open_root(root, 0, &store, &error), VQEMU_ERR_REFUSED);
        ck_assert_str_eq(vqemu_error_reason(error), "untrusted-store");
        ck_assert_str_eq(vqemu_error_detail(error, "path"), path);
        ck_assert_int_eq(vqemu_store_open_root(root, VQEMU_STORE_ALLOW_OTHERS, &store, &error), 0);
        vqemu_store_unref(store);
        ck_assert_int_eq(chown(path, geteuid(), (gid_t)-1), 0);
        ck_assert_int_eq(chmod(path, 01777), 0); /* nobody can take away what is another's */
        vqemu_store_unref(open_store(0));
        ck_assert_int_eq(chmod(path, 0755), 0);
    }
}
END_TEST

static void rename_in_scratch(const char *from, const char *to) {
    ck_assert_int_eq(renameat(scratch_fd, from, scratch_fd, to), 0);
}

static void set_mode(const char *path, mode_t mode) {
    ck_assert_int_eq(fchmodat(scratch_fd, path, mode, 0), 0);
}

static void remove_trees(void) {
    ck_assert_int_eq(unlinkat(scratch_fd, "store/qemu/trees", AT_REMOVEDIR), 0);
}

static void open_is_refused(const char *root, const char *path) {
    vqemu_store *store = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *full = scratch_path(root), *refused = scratch_path(path);
    ck_assert_int_eq(vqemu_store_open_root(full, 0, &store, &error), VQEMU_ERR_REFUSED);
    ck_assert_str_eq(vqemu_error_reason(error), "untrusted-store");
    ck_assert_str_eq(vqemu_error_detail(error, "path"), refused);
    ck_assert_int_eq(vqemu_store_open_root(full, VQEMU_STORE_ALLOW_OTHERS, &store, &error), 0);
    vqemu_store_unref(store);
}

/* Others could make them first, or exchange them afterwards. */
START_TEST(trees_that_come_later_are_looked_at) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_revision_unref(build(store, NULL));
    remove_trees();
    set_mode("store/qemu", 0777);
    open_is_refused("store", "store/qemu");
    set_mode("store/qemu", 0755);
    _cleanup_store_ vqemu_store *early = open_store(0);
    set_mode("store/qemu", 0777);
    for (int i = 0; i < 2; i++) /* what was refused once is not kept */
        resolve_fails(early, 0, VQEMU_ERR_REFUSED, "store/qemu");
    set_mode("store/qemu", 0755);
    if (geteuid() == 0) {
        ck_assert_int_eq(fchownat(scratch_fd, "store/qemu", 12345, (gid_t)-1, 0), 0);
        resolve_fails(early, 0, VQEMU_ERR_REFUSED, "store/qemu");
        ck_assert_int_eq(fchownat(scratch_fd, "store/qemu", 0, (gid_t)-1, 0), 0);
    }
    vqemu_runtime_unref(resolve(early, 0));
}
END_TEST

/* The directory that a link leads to may be good, and where the link lies others put theirs. */
START_TEST(a_link_in_a_directory_of_others_is_refused) {
    static const char *const parts[] = {"store/cas/objects", "store/cas/refs", "store/qemu/trees"};
    static const char *const above[] = {"store/cas", "store/cas", "store/qemu"};
    vqemu_store_unref(open_store(VQEMU_STORE_CREATE));
    ck_assert_int_eq(mkdirat(scratch_fd, "good", 0755), 0);
    ck_assert_int_eq(mkdirat(scratch_fd, "good/cas", 0755), 0);
    _cleanup_free_ char *good = scratch_path("good/cas/part");
    ck_assert_int_eq(renameat(scratch_fd, parts[_i], scratch_fd, "good/cas/part"), 0);
    ck_assert_int_eq(symlinkat(good, scratch_fd, parts[_i]), 0);
    vqemu_store_unref(open_store(0));
    set_mode(above[_i], 0777);
    open_is_refused("store", above[_i]);
    set_mode(above[_i], 01777);
    vqemu_store_unref(open_store(0));
    if (geteuid() == 0) { /* who may take away his own, and put another one there */
        ck_assert_int_eq(fchownat(scratch_fd, parts[_i], 12345, (gid_t)-1, AT_SYMLINK_NOFOLLOW), 0);
        open_is_refused("store", parts[_i]);
    }
}
END_TEST

START_TEST(trees_below_a_link_to_a_directory_of_others_are_refused) {
    vqemu_store_unref(open_store(VQEMU_STORE_CREATE));
    ck_assert_int_eq(mkdirat(scratch_fd, "others", 0755), 0);
    rename_in_scratch("store/qemu", "others/qemu");
    _cleanup_free_ char *qemu = scratch_path("others/qemu");
    ck_assert_int_eq(symlinkat(qemu, scratch_fd, "store/qemu"), 0);
    vqemu_store_unref(open_store(0));
    set_mode("others", 0777);
    open_is_refused("store", "store/qemu/..");
}
END_TEST

/* Nobody is refused for the way to his store, but paths do not go where others could turn off. */
START_TEST(paths_go_by_no_link_that_others_could_change) {
    static const char *const ways[] = {"others/store", "others/store/.", "others/store/"};
    _cleanup_free_ char *root = scratch_path("store"), *trees = scratch_path("store/qemu/trees/");
    _cleanup_store_ vqemu_store *plain = open_store(VQEMU_STORE_CREATE);
    vqemu_revision_unref(build(plain, NULL));
    ck_assert_int_eq(mkdirat(scratch_fd, "others", 0755), 0);
    ck_assert_int_eq(symlinkat(root, scratch_fd, "others/store"), 0);
    for (size_t i = 0; i < 6; i++) {
        _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
        _cleanup_store_ vqemu_store *store = NULL;
        _cleanup_runtime_ vqemu_runtime *runtime = NULL;
        _cleanup_free_ char *way = scratch_path(ways[i / 2]);
        bool is_safe = i % 2 == 0;
        set_mode("others", is_safe ? 0755 : 0777);
        ck_assert_int_eq(vqemu_store_open_root(way, 0, &store, NULL), 0);
        ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, NULL, &runtime, NULL), 0);
        const char *tree = vqemu_runtime_tree(runtime);
        ck_assert_int_eq(strncmp(tree, trees, strlen(trees)) == 0, !is_safe);
        ck_assert(exists("store/qemu/emulate-x86/bin/qemu-system-x86_64"));
    }
}
END_TEST

/* Of the store's name by then, not of the link that somebody puts in its old place. */
START_TEST(a_renamed_store_is_not_reached_by_its_old_name) {
    _cleanup_free_ char *other = scratch_path("other"), *trees = scratch_path("other/qemu/trees/");
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_revision_unref(build(store, NULL));
    vqemu_runtime_unref(resolve(store, 0));
    rename_in_scratch("store", "other");
    ck_assert_int_eq(symlinkat(other, scratch_fd, "store"), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(fchownat(scratch_fd, "store", 12345, (gid_t)-1, AT_SYMLINK_NOFOLLOW), 0);
    else
        ck_assert_int_eq(chmod(scratch, 0777), 0);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(strncmp(vqemu_runtime_tree(runtime), trees, strlen(trees)), 0);
    ck_assert_int_eq(chmod(scratch, 0700), 0);
}
END_TEST

/* As a store that was copied without its trees, below a directory of a group. */
START_TEST(trees_are_made_whatever_lies_above_the_root) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_revision_unref(build(store, NULL));
    remove_trees();
    ck_assert_int_eq(unlinkat(scratch_fd, "store/qemu", AT_REMOVEDIR), 0);
    ck_assert_int_eq(chmod(scratch, 0770), 0);
    _cleanup_store_ vqemu_store *again = open_store(0);
    vqemu_runtime_unref(resolve(again, 0));
    ck_assert_int_eq(chmod(scratch, 0700), 0);
}
END_TEST

/* "Cannot tell" is no "no": with each number of descriptors that are left. */
START_TEST(without_descriptors_no_store_is_trusted) {
    struct rlimit limit;
    _cleanup_free_ char *root = scratch_path("store");
    vqemu_store_unref(open_store(VQEMU_STORE_CREATE));
    set_mode("store/qemu", 0777);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlim_t usual = limit.rlim_cur;
    int next = fcntl(scratch_fd, F_DUPFD_CLOEXEC, 0);
    ck_assert_int_eq(close(next), 0);
    for (rlim_t left = 0; left < 12; left++) {
        vqemu_store *store = NULL;
        limit.rlim_cur = (rlim_t)next + left;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        int r = vqemu_store_open_root(root, 0, &store, NULL);
        limit.rlim_cur = usual;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_msg(r == VQEMU_ERR_REFUSED || r == VQEMU_ERR_SYSTEM, "%d", r);
        ck_assert_int_eq(r == VQEMU_ERR_REFUSED || left < 8, 1);
    }
}
END_TEST

START_TEST(a_file_is_no_store) {
    _cleanup_free_ char *root = scratch_path("profile/lib/libone.so.1");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_open_root(root, VQEMU_STORE_CREATE, &store, &error),
                     VQEMU_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), root));
}
END_TEST

START_TEST(a_relative_root_stays_where_it_was) {
    _cleanup_store_ vqemu_store *store = NULL;
    ck_assert_int_eq(fchdir(scratch_fd), 0);
    ck_assert_int_eq(vqemu_store_open_root("store//", VQEMU_STORE_CREATE, &store, NULL), 0);
    ck_assert_int_eq(chdir("/"), 0);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(strncmp(vqemu_runtime_tree(runtime), scratch, strlen(scratch)), 0);
}
END_TEST

static vqemu_store *open_parts(const char *objects, const char *refs, const char *trees,
                               const char *links) {
    const char *const values[][2] = {
        {VQEMU_STORE_OBJECTS, objects},
        {VQEMU_STORE_REFS, refs},
        {VQEMU_STORE_TREES, trees},
        {VQEMU_STORE_LINKS, links},
    };
    vqemu_store_options *options = NULL;
    vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(vqemu_store_options_set_string(options, values[i][0], values[i][1], NULL),
                         0);
    ck_assert_int_eq(vqemu_store_open(options, VQEMU_STORE_CREATE, &store, NULL), 0);
    vqemu_store_options_free(options);
    return store;
}

START_TEST(options_are_checked) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_store_options *options = NULL;
    vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_options_new(NULL, NULL), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_store_open(options, 0, &store, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "root"); /* which was forgotten */
    ck_assert_int_eq(vqemu_store_options_set_string(options, "objects", "", &error),
                     VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "size", "1", &error),
                     VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_int_eq(vqemu_store_options_set_string(NULL, "root", "/", &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_options_set_string(options, NULL, "/", &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_open(NULL, 0, &store, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_open(options, 0, NULL, &error), VQEMU_ERR_USAGE);
    vqemu_store_options_free(options);
    vqemu_store_options_free(NULL);
}
END_TEST

START_TEST(a_part_of_a_root_can_lie_elsewhere) {
    _cleanup_free_ char *root = scratch_path("store"), *trees = scratch_path("trees");
    vqemu_store_options *options = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "root", root, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "trees", trees, NULL), 0);
    ck_assert_int_eq(vqemu_store_open(options, VQEMU_STORE_CREATE, &store, NULL), 0);
    vqemu_store_options_free(options);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(count_entries("trees"), 1);
    ck_assert_int_eq(count_entries("store/cas/refs"), 1);
    _cleanup_free_ char *through_link = read_file("store/qemu/emulate-x86/firmware/bios.bin");
    ck_assert_str_eq(through_link, "firmware");
}
END_TEST

START_TEST(the_parts_can_lie_apart) {
    _cleanup_free_ char *objects = scratch_path("a/objects"), *refs = scratch_path("b"),
                        *trees = scratch_path("c/d"), *links = scratch_path("e");
    _cleanup_store_ vqemu_store *store = open_parts(objects, refs, trees, links);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(count_entries("a/objects"), 5);
    ck_assert_int_eq(count_entries("b"), 1);
    ck_assert_int_eq(count_entries("c/d"), 1);
    _cleanup_free_ char *through_link = read_file("e/emulate-x86/firmware/bios.bin");
    ck_assert_str_eq(through_link, "firmware");
    ck_assert_int_eq(count_entries("a/tmp"), 0);
}
END_TEST

START_TEST(without_a_directory_for_links_there_are_none) {
    _cleanup_free_ char *objects = scratch_path("objects"), *refs = scratch_path("refs"),
                        *trees = scratch_path("trees");
    _cleanup_store_ vqemu_store *store = open_parts(objects, refs, trees, NULL);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_int_eq(count_entries("trees"), 1);
    ck_assert(!exists("emulate-x86"));
}
END_TEST

START_TEST(a_read_only_store_serves_what_is_assembled) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_store_ vqemu_store *read_only = open_store(VQEMU_STORE_READ_ONLY);
    resolve_fails(read_only, 0, VQEMU_ERR_READ_ONLY, "is read-only");
    vqemu_runtime_unref(resolve(store, 0));
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(read_only, VQEMU_RESOLVE_VERIFY);
    vqemu_ingest *other = NULL;
    ck_assert_int_eq(ingest(read_only, NULL, &other, NULL), VQEMU_ERR_READ_ONLY);
}
END_TEST

START_TEST(descriptors_are_closed_on_exec_and_in_the_end) {
    int before = count_entries("/proc/self/fd");
    {
        _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
        _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
        _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
        ck_assert_int_eq(fcntl(store->objects_fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fcntl(store->refs_fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fcntl(vqemu_runtime_lease_fd(runtime), F_GETFD), FD_CLOEXEC);
        resolve_fails(store, 99, VQEMU_ERR_USAGE, "flags");
    }
    ck_assert_int_eq(count_entries("/proc/self/fd"), before);
}
END_TEST

/* All that a handle can do, in a store that is in other/ by now; and nothing appears in store/. */
static void use_renamed(vqemu_store *store) {
    _cleanup_free_ char *other = scratch_path("other");
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    _cleanup_runtime_ vqemu_runtime *runtime = NULL, *again = NULL;
    vqemu_collection *collection = NULL;
    vqemu_check *check = NULL;
    ck_assert_int_eq(ingest(store, NULL, &result, NULL), 0);
    const char *name = vqemu_revision_name(vqemu_ingest_revision(result));
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, NULL, &runtime, NULL), 0);
    ck_assert_int_eq(strncmp(vqemu_runtime_tree(runtime), other, strlen(other)), 0);
    ck_assert_int_eq(access(vqemu_runtime_binary(runtime), X_OK), 0);
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, NULL, &again, NULL), 0);
    ck_assert_str_eq(vqemu_runtime_tree(again), vqemu_runtime_tree(runtime));
    ck_assert_int_eq(vqemu_store_pin(store, name, "unit:x", 0, NULL, NULL), 0);
    ck_assert_int_eq(vqemu_store_unpin(store, name, "unit:x", 0, NULL, NULL), 0);
    ck_assert_int_eq(collect_keeping(store, 1, 0, NULL, &collection, NULL), 0);
    vqemu_collection_free(collection);
    ck_assert_int_eq(vqemu_store_check(store, NULL, 0, NULL, NULL, &check, NULL), 0);
    ck_assert_uint_eq(vqemu_check_problem_count(check), 0);
    vqemu_check_free(check);
    ck_assert(!exists("store"));
    ck_assert(exists("other/qemu/emulate-x86/bin/qemu-system-x86_64"));
    ck_assert_int_eq(count_entries("other/cas/tmp"), 0);
}

/* Whether trees and links were there already, or used, makes a difference. */
START_TEST(a_store_that_is_renamed_stays_the_same) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    if (_i == 1) {
        ck_assert_int_eq(unlinkat(scratch_fd, "store/qemu/trees", AT_REMOVEDIR), 0);
        ck_assert_int_eq(unlinkat(scratch_fd, "store/qemu", AT_REMOVEDIR), 0);
        vqemu_store_unref(store);
        store = open_store(0);
    }
    if (_i == 2) {
        vqemu_revision_unref(build(store, NULL));
        vqemu_runtime_unref(resolve(store, 0));
        write_file("profile/firmware/bios.bin", "newer", 0644);
    }
    rename_in_scratch("store", "other");
    use_renamed(store);
}
END_TEST

/* What is leased there stays leased, and links lead to it. */
START_TEST(trees_that_are_renamed_stay_the_same) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *leased = build(store, NULL), *newer = NULL;
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0), *second = NULL, *third = NULL;
    write_file("profile/firmware/bios.bin", "newer", 0644);
    newer = build(store, NULL);
    second = resolve(store, 0);
    rename_in_scratch("store/qemu/trees", "store/qemu/trees.old");
    ck_assert_int_eq(mkdirat(scratch_fd, "store/qemu/trees", 0755), 0);
    vqemu_collection *collection = NULL;
    ck_assert_int_eq(collect_keeping(store, 1, 0, NULL, &collection, NULL), 0);
    vqemu_collection_free(collection);
    _cleanup_free_ char *kept =
        format_string("store/cas/refs/%s.json", vqemu_revision_name(leased));
    ck_assert(exists(kept));
    third = resolve(store, 0);
    ck_assert_ptr_nonnull(strstr(vqemu_runtime_tree(third), "/qemu/trees.old/"));
    ck_assert_int_eq(access(vqemu_runtime_binary(third), X_OK), 0);
    ck_assert(exists("store/qemu/emulate-x86/bin/qemu-system-x86_64"));
}
END_TEST

START_TEST(another_store_in_its_place_is_another) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    rename_in_scratch("store", "other");
    _cleanup_store_ vqemu_store *second = open_store(VQEMU_STORE_CREATE);
    vqemu_revision_unref(build(second, NULL));
    resolve_fails(store, 0, VQEMU_ERR_NO_REVISION, "is not in the store");
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    ck_assert_int_eq(ingest(store, NULL, &result, NULL), 0);
    _cleanup_runtime_ vqemu_runtime *first = resolve(store, 0), *other = resolve(second, 0);
    _cleanup_free_ char *root = scratch_path("other/");
    ck_assert_int_eq(strncmp(vqemu_runtime_tree(first), root, strlen(root)), 0);
    ck_assert_int_ne(strncmp(vqemu_runtime_tree(other), root, strlen(root)), 0);
}
END_TEST

START_TEST(the_root_can_be_a_descriptor) {
    vqemu_store_options *options = NULL;
    _cleanup_store_ vqemu_store *store = NULL, *none = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(mkdirat(scratch_fd, "here", 0755), 0);
    int fd = openat(scratch_fd, "here", O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_number(options, "root_fd", (uint64_t)fd, NULL), 0);
    ck_assert_int_eq(vqemu_store_open(options, 0, &none, &error), VQEMU_ERR_NO_STORE);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "here/cas/objects"));
    if (_i == 1) /* a name that leads nowhere */
        ck_assert_int_eq(vqemu_store_options_set_string(options, "root", "/nowhere/of", NULL), 0);
    ck_assert_int_eq(vqemu_store_open(options, VQEMU_STORE_CREATE, &store, NULL), 0);
    close(fd);
    vqemu_store_options_free(options);
    vqemu_ingest *result = NULL;
    ck_assert_int_eq(ingest(store, NULL, &result, NULL), 0);
    ck_assert_ptr_nonnull(strstr(vqemu_revision_path(vqemu_ingest_revision(result)),
                                 _i == 1 ? "/nowhere/of/cas/refs" : "/here/cas/refs"));
    vqemu_ingest_free(result);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *root = scratch_path("here/");
    ck_assert_int_eq(strncmp(vqemu_runtime_tree(runtime), root, strlen(root)), 0);
    ck_assert(exists("here/qemu/emulate-x86/bin/qemu-system-x86_64"));
}
END_TEST

START_TEST(a_bad_descriptor_of_the_root_is_named) {
    vqemu_store_options *options = NULL;
    vqemu_store *store = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    ck_assert_int_eq(
        vqemu_store_options_set_number(options, "root_fd", 1 + (uint64_t)INT32_MAX, &error),
        VQEMU_ERR_INVALID);
    ck_assert_int_eq(vqemu_store_options_set_number(options, "root", 1, &error), VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "wrong-kind");
    ck_assert_int_eq(vqemu_store_options_set_number(options, "size", 1, &error),
                     VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_int_eq(vqemu_store_options_set_number(NULL, "root_fd", 1, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_options_set_number(options, NULL, 1, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_store_options_set_number(options, "root_fd", 999, &error), 0);
    ck_assert_int_eq(vqemu_store_open(options, 0, &store, &error), VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_reason(error), "bad-descriptor");
    ck_assert_str_eq(vqemu_error_detail(error, "key"), "root_fd");
    vqemu_store_options_free(options);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");
    tcase_add_checked_fixture(tests, make_scratch, remove_scratch);
    tcase_add_test(tests, a_missing_store_is_named);
    tcase_add_test(tests, a_store_is_made_if_asked_for);
    tcase_add_test(tests, flags_are_checked);
    tcase_add_test(tests, a_store_that_others_may_write_to_is_refused);
    tcase_add_test(tests, a_store_in_a_directory_of_others_is_refused);
    tcase_add_test(tests, trees_that_come_later_are_looked_at);
    tcase_add_loop_test(tests, a_link_in_a_directory_of_others_is_refused, 0, 3);
    tcase_add_test(tests, trees_below_a_link_to_a_directory_of_others_are_refused);
    tcase_add_test(tests, paths_go_by_no_link_that_others_could_change);
    tcase_add_test(tests, a_renamed_store_is_not_reached_by_its_old_name);
    tcase_add_test(tests, trees_are_made_whatever_lies_above_the_root);
    tcase_add_test(tests, without_descriptors_no_store_is_trusted);
    tcase_add_test(tests, a_file_is_no_store);
    tcase_add_test(tests, a_relative_root_stays_where_it_was);
    tcase_add_test(tests, options_are_checked);
    tcase_add_test(tests, a_part_of_a_root_can_lie_elsewhere);
    tcase_add_test(tests, the_parts_can_lie_apart);
    tcase_add_test(tests, without_a_directory_for_links_there_are_none);
    tcase_add_test(tests, a_read_only_store_serves_what_is_assembled);
    tcase_add_test(tests, descriptors_are_closed_on_exec_and_in_the_end);
    tcase_add_loop_test(tests, a_store_that_is_renamed_stays_the_same, 0, 3);
    tcase_add_test(tests, trees_that_are_renamed_stay_the_same);
    tcase_add_test(tests, another_store_in_its_place_is_another);
    tcase_add_loop_test(tests, the_root_can_be_a_descriptor, 0, 2);
    tcase_add_test(tests, a_bad_descriptor_of_the_root_is_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
