/* SPDX-License-Identifier: MIT */
/* vqemu_resolve(): a revision -> a tree, and a tree that is still as it should be. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "store/manifest.h"
#include "store/object.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/dir.h"
#include "util/strbuf.h"

static vqemu_store *store;
static vqemu_revision *revision;

static void make_store(void) {
    make_scratch();
    store = open_store(VQEMU_STORE_CREATE);
    revision = build(store, NULL);
}

static void remove_store(void) {
    vqemu_revision_unref(revision);
    vqemu_store_unref(store);
    remove_scratch();
}

/* ---- assembly ---- */

START_TEST(a_tree_has_the_content_and_modes_of_the_manifest) {
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        const char *path = vqemu_manifest_object_path(manifest, i);
        _cleanup_free_ char *in_tree = tree_path(runtime, path),
                            *object = object_path(revision, path);
        _cleanup_free_ char *a = read_file(in_tree), *b = read_file(object);
        struct stat status = stat_of(in_tree);
        ck_assert_str_eq(a, b);
        ck_assert_uint_eq(status.st_mode & 07777, strncmp(path, "bin/", 4) == 0 ? 0555 : 0444);
        ck_assert((status.st_ino == stat_of(object).st_ino) == (status.st_size > 0));
    }
    ck_assert_int_eq(count_leftovers(), 0);
}
END_TEST

START_TEST(a_runtime_has_the_paths_of_its_tree) {
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *binary = tree_path(runtime, "bin/qemu-system-x86_64"),
                        *firmware = tree_path(runtime, "firmware"),
                        *libraries = tree_path(runtime, "lib"),
                        *modules = tree_path(runtime, "lib/qemu");
    ck_assert_str_eq(vqemu_runtime_binary(runtime), binary);
    ck_assert_str_eq(vqemu_runtime_firmware_dir(runtime), firmware);
    ck_assert_str_eq(vqemu_runtime_lib_dir(runtime), libraries);
    ck_assert_str_eq(vqemu_runtime_module_dir(runtime), modules);
    ck_assert_ptr_null(vqemu_runtime_loader(runtime));
    ck_assert_str_eq(vqemu_runtime_guest_arch(runtime), "x86_64");
    ck_assert_str_eq(vqemu_runtime_digest(runtime),
                     vqemu_manifest_digest(vqemu_revision_manifest(revision)));
    ck_assert_str_eq(vqemu_runtime_revision_name(runtime), vqemu_revision_name(revision));
    ck_assert_str_eq(vqemu_runtime_manifest_path(runtime), vqemu_revision_path(revision));
}
END_TEST

START_TEST(a_missing_program_is_named_with_those_there_are) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "i386");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_runtime *runtime = NULL;
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, NULL, &runtime, &error),
                     VQEMU_ERR_NO_PROGRAM);
    ck_assert_str_eq(vqemu_error_detail(error, "choices"), "bin/qemu-system-x86_64");
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error),
                                 "has no bin/qemu-system-i386, which i386 guests need; it has "
                                 "bin/qemu-system-x86_64"));
}
END_TEST

/* What can happen to the object of firmware/bios.bin, and what the message then says of it. */
static const char *damage_object(const char *path, int kind) {
    if (kind == 0) {
        write_file(path, "Firmware", 0444); /* the same size */
        return "is damaged: its content has the digest";
    }
    ck_assert_int_eq(unlink(path), 0);
    if (kind == 1)
        return "is missing";
    if (kind == 2)
        ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    else if (kind == 3)
        ck_assert_int_eq(mkdir(path, 0755), 0);
    else
        ck_assert_int_eq(mkfifo(path, 0644), 0);
    return "is not a regular file";
}

START_TEST(a_bad_object_is_named_and_no_tree_appears) {
    _cleanup_free_ char *path = object_path(revision, "firmware/bios.bin");
    _cleanup_free_ char *mentioned =
        format_string("%s, for firmware/bios.bin of %s, %s", path, vqemu_revision_name(revision),
                      damage_object(path, _i));
    resolve_fails(store, 0, VQEMU_ERR_CORRUPT, mentioned);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 0);
    ck_assert(!exists("store/qemu/emulate-x86"));
}
END_TEST

/* Known objects are not hashed again, but another inode is not the one that is known. */
START_TEST(another_file_in_an_objects_place_is_hashed) {
    _cleanup_free_ char *path = object_path(revision, "firmware/bios.bin"),
                        *spare = scratch_path("spare");
    const struct timespec times[2] = {{.tv_sec = OBJECT_MTIME}, {.tv_sec = OBJECT_MTIME}};
    write_file(spare, "Firmware", 0444);
    ck_assert_int_eq(utimensat(AT_FDCWD, spare, times, 0), 0);
    ck_assert_int_eq(rename(spare, path), 0);
    resolve_fails(store, 0, VQEMU_ERR_CORRUPT, "is damaged");
}
END_TEST

START_TEST(a_damaged_object_with_time_put_back_is_seen_by_the_full_check) {
    _cleanup_free_ char *path = object_path(revision, "firmware/bios.bin");
    const struct timespec times[2] = {{.tv_sec = OBJECT_MTIME}, {.tv_sec = OBJECT_MTIME}};
    ck_assert_int_eq(chmod(path, 0644), 0);
    write_file(path, "Firmware", 0444);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    resolve_fails(store, VQEMU_RESOLVE_VERIFY, VQEMU_ERR_CORRUPT, "is damaged");
}
END_TEST

START_TEST(objects_of_the_reference_system_are_used_and_not_changed) {
    static const mode_t modes[] = {0644, 0600, 0666, 0444, 0755, 04755};
    _cleanup_free_ char *program = object_path(revision, "bin/qemu-system-x86_64"),
                        *firmware = object_path(revision, "firmware/bios.bin");
    ck_assert_int_eq(chmod(program, modes[_i]), 0);
    ck_assert_int_eq(chmod(firmware, modes[_i]), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, firmware, NULL, 0), 0);
    struct stat before = stat_of(firmware);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0), *warm = NULL;
    _cleanup_free_ char *in_tree = tree_path(runtime, "firmware/bios.bin");
    ck_assert_uint_eq(stat_of(vqemu_runtime_binary(runtime)).st_mode & 0555, 0555);
    ck_assert_uint_eq(stat_of(in_tree).st_mode & 07133, 0);
    ck_assert_uint_eq(stat_of(in_tree).st_mode & 0444, 0444);
    struct stat after = stat_of(firmware);
    ck_assert_uint_eq(after.st_mode & 07777, modes[_i]);
    ck_assert(before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_ino == after.st_ino);
    ck_assert_int_eq(count_leftovers(), 0);
    struct stat tree_before = stat_of(vqemu_runtime_tree(runtime));
    warm = resolve(store, VQEMU_RESOLVE_VERIFY); /* and it counts as unchanged */
    ck_assert_uint_eq(stat_of(vqemu_runtime_tree(warm)).st_ino, tree_before.st_ino);
}
END_TEST

START_TEST(modes_that_the_manifest_lacks_are_found_out) {
    static const char *const objects[][2] = {
        {"bin/qemu-system-x86_64", "a program"}, {"lib/script", "#!/bin/sh\n"},
        {"lib/ld-linux-x86-64.so.2", "loader"},  {"lib/libtwo.so", "two"},
        {"firmware/bios.bin", "firmware"},
    };
    struct strbuf text = {0};
    strbuf_add(&text, "{\"name\":\"r\",\"created_at\":\"2999-01-01T00:00:00Z\",\"objects\":{");
    for (size_t i = 0; i < 5; i++) {
        struct digest digest = digest_of_bytes(objects[i][1], strlen(objects[i][1]));
        _cleanup_free_ char *path = format_string("store/cas/objects/%s", digest.hex);
        if (!exists(path))
            write_file(path, objects[i][1], 0644);
        strbuf_addf(&text, "%s\"%s\":\"%s\"", i ? "," : "", objects[i][0], digest.hex);
    }
    strbuf_add(&text, "}}");
    write_file("store/cas/refs/emulate-x86-00000000.json", text.text, 0644);
    strbuf_release(&text);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    ck_assert_str_eq(vqemu_runtime_revision_name(runtime), "emulate-x86-00000000");
    for (size_t i = 0; i < 5; i++) {
        _cleanup_free_ char *path = tree_path(runtime, objects[i][0]);
        ck_assert((stat_of(path).st_mode & 0111) == (i < 3 ? 0111U : 0U));
    }
}
END_TEST

START_TEST(one_content_can_have_both_modes) {
    write_file("profile/lib/also-a-program", "#!/bin/sh\necho x86_64\n", 0644);
    _cleanup_revision_ vqemu_revision *both = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *plain = tree_path(runtime, "lib/also-a-program");
    ck_assert_uint_eq(stat_of(vqemu_runtime_binary(runtime)).st_mode & 07777, 0555);
    ck_assert_uint_eq(stat_of(plain).st_mode & 07777, 0444);
    ck_assert_int_eq(count_entries("store/cas/alt"), 1);
    ck_assert_int_eq(count_leftovers(), 0);
}
END_TEST

START_TEST(a_damaged_alternative_is_made_again) {
    write_file("profile/lib/also-a-program", "#!/bin/sh\necho x86_64\n", 0644);
    vqemu_revision_unref(build(store, NULL));
    vqemu_runtime_unref(resolve(store, 0));
    _cleanup_free_ char *object = object_path(revision, "bin/qemu-system-x86_64");
    _cleanup_free_ char *alt = format_string("store/cas/alt/%s", strrchr(object, '/') + 1);
    write_file(alt, "#!/bin/sh\necho damage\n", 0444);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *plain = tree_path(runtime, "lib/also-a-program");
    _cleanup_free_ char *content = read_file(plain);
    ck_assert_str_eq(content, "#!/bin/sh\necho x86_64\n");
}
END_TEST

static int stop(const vqemu_progress *progress, void *userdata) {
    (void)userdata;
    ck_assert_str_eq(vqemu_progress_step(progress), "assemble");
    ck_assert_str_eq(vqemu_progress_unit(progress), "files");
    ck_assert_uint_eq(vqemu_progress_total(progress), 5);
    ck_assert_uint_le(vqemu_progress_done(progress), 5);
    usleep(LONGER_THAN_INTERVAL);
    return vqemu_progress_done(progress) == 3;
}

START_TEST(an_assembly_can_be_cancelled) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    vqemu_runtime *runtime = NULL;
    _cleanup_call_ vqemu_call *call = make_watched_call(stop, NULL);
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, call, &runtime, NULL),
                     VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 0);
    vqemu_runtime_unref(resolve(store, 0));
}
END_TEST

START_TEST(trees_on_another_file_system_are_copies) {
    _cleanup_free_ char *objects = scratch_path("store/cas/objects"),
                        *refs = scratch_path("store/cas/refs");
    char trees[] = "/dev/shm/test-trees-XXXXXX";
    _cleanup_store_ vqemu_store *apart = NULL;
    ck_assert_ptr_nonnull(mkdtemp(trees));
    vqemu_store_options *options = NULL;
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "objects", objects, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "refs", refs, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "trees", trees, NULL), 0);
    ck_assert_int_eq(vqemu_store_open(options, 0, &apart, NULL), 0);
    vqemu_store_options_free(options);
    vqemu_runtime *runtime = resolve(apart, 0);
    _cleanup_free_ char *in_tree = tree_path(runtime, "firmware/bios.bin"),
                        *object = object_path(revision, "firmware/bios.bin");
    _cleanup_free_ char *content = read_file(in_tree);
    ck_assert_str_eq(content, "firmware");
    ck_assert_uint_eq(stat_of(in_tree).st_mode & 07777, 0444);
    ck_assert_uint_ne(stat_of(in_tree).st_dev, stat_of(object).st_dev);
    vqemu_runtime_unref(runtime);
    runtime = resolve(apart, VQEMU_RESOLVE_VERIFY);
    vqemu_runtime_unref(runtime);
    ck_assert_int_eq(remove_tree(AT_FDCWD, trees), 0);
}
END_TEST

/* ---- a tree that is there ---- */

static void change_by_write(const char *path) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, "F", 1, 0), 1);
}

static void change_by_mmap(const char *path) {
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
    char *bytes = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(bytes, MAP_FAILED);
    bytes[0] = 'F';
    ck_assert_int_eq(msync(bytes, 8, MS_SYNC), 0);
    ck_assert_int_eq(munmap(bytes, 8), 0);
}

static void change_by_truncate(const char *path) {
    ck_assert_int_eq(truncate(path, 3), 0);
}

START_TEST(a_write_through_a_link_is_seen_and_damage_is_not_run) {
    static void (*const changes[])(const char *path) = {change_by_write, change_by_mmap,
                                                        change_by_truncate};
    vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *path = tree_path(runtime, "firmware/bios.bin");
    if (getuid() != 0)
        ck_assert_int_eq(chmod(path, 0644), 0);
    changes[_i](path);
    resolve_fails(store, 0, VQEMU_ERR_CORRUPT, "for firmware/bios.bin");
    vqemu_runtime_unref(runtime);
    vqemu_revision_unref(build(store, NULL)); /* puts the object right */
    runtime = resolve(store, 0);
    _cleanup_free_ char *again = tree_path(runtime, "firmware/bios.bin");
    _cleanup_free_ char *content = read_file(again);
    ck_assert_str_eq(content, "firmware");
    vqemu_runtime_unref(runtime);
    ck_assert_int_eq(count_leftovers(), 0);
}
END_TEST

static void remove_a_file(const char *tree) {
    _cleanup_free_ char *path = format_string("%s/lib/libone.so.1", tree);
    ck_assert_int_eq(unlink(path), 0);
}

static void add_a_file(const char *tree) {
    _cleanup_free_ char *path = format_string("%s/lib/qemu/evil.so", tree);
    write_file(path, "evil", 0644);
}

static void add_a_file_at_the_top(const char *tree) {
    _cleanup_free_ char *path = format_string("%s/bios.bin", tree);
    write_file(path, "evil", 0644);
}

static void replace_a_file(const char *tree) {
    _cleanup_free_ char *path = format_string("%s/lib/libone.so.1", tree);
    ck_assert_int_eq(unlink(path), 0);
    write_file(path, "ONE", 0444);
}

static void remove_the_stamp(const char *tree) {
    _cleanup_free_ char *path = format_string("%s/" TREE_STAMP_NAME, tree);
    ck_assert_int_eq(unlink(path), 0);
}

static void cut_the_stamp(const char *tree) {
    _cleanup_free_ char *path = format_string("%s/" TREE_STAMP_NAME, tree);
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert_int_eq(truncate(path, 150), 0);
}

static void change_a_mode_of_a_directory(const char *tree) {
    _cleanup_free_ char *path = format_string("%s/lib", tree);
    ck_assert_int_eq(chmod(path, 0777), 0);
}

static void replace_the_tree_by_a_file(const char *tree) {
    ck_assert_int_eq(remove_tree(AT_FDCWD, tree), 0);
    write_file(tree, "x", 0644);
}

static void replace_the_tree_by_a_link(const char *tree) {
    ck_assert_int_eq(remove_tree(AT_FDCWD, tree), 0);
    ck_assert_int_eq(symlink("/etc", tree), 0);
}

START_TEST(an_altered_tree_is_assembled_anew) {
    static void (*const changes[])(const char *tree) = {remove_a_file,
                                                        add_a_file,
                                                        add_a_file_at_the_top,
                                                        replace_a_file,
                                                        remove_the_stamp,
                                                        cut_the_stamp,
                                                        change_a_mode_of_a_directory,
                                                        replace_the_tree_by_a_file,
                                                        replace_the_tree_by_a_link};
    vqemu_runtime *runtime = resolve(store, 0);
    ino_t before = stat_of(vqemu_runtime_tree(runtime)).st_ino;
    _cleanup_free_ char *tree = strdup(vqemu_runtime_tree(runtime));
    vqemu_runtime_unref(runtime);
    changes[_i](tree);
    runtime = resolve(store, 0);
    _cleanup_free_ char *evil = tree_path(runtime, "lib/qemu/evil.so"),
                        *library = tree_path(runtime, "lib/libone.so.1");
    _cleanup_free_ char *content = read_file(library);
    ck_assert_str_eq(content, "one");
    ck_assert(!exists(evil));
    ck_assert(stat_of(tree).st_ino != before || _i >= 7);
    vqemu_runtime_unref(runtime);
    ck_assert_int_eq(count_leftovers(), 0);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 1);
}
END_TEST

static void let_others_write(const char *tree) {
    ck_assert_int_eq(chmod(tree, 0777), 0);
}

/* What the handle remembers of a tree is not believed of another, nor of one that lost its stamp.
 */
START_TEST(trust_is_in_the_tree_that_was_seen) {
    static void (*const changes[])(const char *tree) = {
        remove_the_stamp, replace_the_tree_by_a_file, replace_the_tree_by_a_link, let_others_write};
    _cleanup_free_ char *tree = NULL;
    for (int i = 0; i < 3; i++) {
        _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, VQEMU_RESOLVE_TRUST);
        _cleanup_free_ char *libraries = tree_path(runtime, "lib"),
                            *modules = tree_path(runtime, "lib/qemu");
        ck_assert_str_eq(vqemu_runtime_lib_dir(runtime), libraries);
        ck_assert_str_eq(vqemu_runtime_module_dir(runtime), modules);
        free(tree);
        tree = strdup(vqemu_runtime_tree(runtime));
    }
    changes[_i](tree);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, VQEMU_RESOLVE_TRUST);
    _cleanup_free_ char *stamp = format_string("%s/" TREE_STAMP_NAME, tree);
    ck_assert(exists(stamp));
    ck_assert_uint_eq(stat_of(tree).st_mode, S_IFDIR | 0755);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 1);
}
END_TEST

START_TEST(a_changed_mode_of_a_file_is_seen) {
    vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *path = tree_path(runtime, "lib/libone.so.1");
    ck_assert_int_eq(chmod(path, 0666), 0); /* of the object, too */
    vqemu_runtime_unref(runtime);
    runtime = resolve(store, 0);
    ck_assert_uint_eq(stat_of(path).st_mode & 07777, 0444);
    vqemu_runtime_unref(runtime);
}
END_TEST

START_TEST(a_file_with_time_put_back_is_seen_by_the_full_check) {
    vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *path = tree_path(runtime, "firmware/bios.bin");
    struct stat status = stat_of(path);
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    ck_assert_int_eq(chmod(path, 0644), 0);
    change_by_write(path);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    ck_assert_int_eq(chmod(path, 0444), 0);
    vqemu_runtime_unref(runtime);
    vqemu_runtime_unref(resolve(store, 0)); /* this is what the quick check cannot see */
    resolve_fails(store, VQEMU_RESOLVE_VERIFY, VQEMU_ERR_CORRUPT, "is damaged");
}
END_TEST

START_TEST(a_leased_tree_survives_being_replaced) {
    vqemu_runtime *old = resolve(store, 0);
    _cleanup_free_ char *path = tree_path(old, "lib/libone.so.1");
    ck_assert_int_eq(unlink(path), 0);
    vqemu_runtime *new = resolve(store, 0);
    struct stat status;
    ck_assert_int_eq(fstatat(vqemu_runtime_lease_fd(old), "firmware/bios.bin", &status, 0), 0);
    vqemu_runtime_unref(old);
    vqemu_runtime_unref(new);
    ck_assert_int_eq(unlink(path), 0);
    vqemu_runtime_unref(resolve(store, 0)); /* clears away what is not leased any more */
    ck_assert_int_eq(count_leftovers(), 0);
}
END_TEST

START_TEST(a_lease_is_a_shared_lock) {
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_close_ int fd = open(vqemu_runtime_tree(runtime), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
    ck_assert_int_eq(flock(fd, LOCK_SH | LOCK_NB), 0);
}
END_TEST

/* ---- locks of others ---- */

enum lock_case { LOCK_DEADLINE, LOCK_TIME, LOCK_CANCELLED, LOCK_CASES };

static void *cancel_soon(void *call) {
    usleep(100000);
    vqemu_call_cancel(call);
    return NULL;
}

/* Another process locks a file for itself. */
static pid_t lock_elsewhere(const char *path) {
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

/* Resolve, or load if there is what was saved, while path is locked, and see that it ends. */
static void is_given_up(const char *path, const char *saved, enum lock_case how) {
    static const int codes[] = {VQEMU_ERR_TIMEOUT, VQEMU_ERR_BUSY, VQEMU_ERR_CANCELLED};
    _cleanup_call_ vqemu_call *call =
        how == LOCK_DEADLINE
            ? make_call(VQEMU_CALL_DEADLINE_MS, 100)
            : make_call(VQEMU_CALL_LOCK_TIMEOUT_MS, how == LOCK_TIME ? 150 : 60000);
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_runtime *runtime = NULL;
    vqemu_command *command = NULL;
    pthread_t canceller;
    pid_t holder = lock_elsewhere(path);
    if (how == LOCK_CANCELLED)
        ck_assert_int_eq(pthread_create(&canceller, NULL, cancel_soon, call), 0);
    int r = saved ? vqemu_command_load(saved, strlen(saved), NULL, 0, call, &command, &error)
                  : vqemu_resolve(store, selection, NULL, 0, call, &runtime, &error);
    if (how == LOCK_CANCELLED)
        pthread_join(canceller, NULL);
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    ck_assert_msg(r == codes[how], "%s: %s", vqemu_result_name(r), vqemu_error_message(error));
    ck_assert_ptr_null(runtime);
    ck_assert_ptr_null(command);
    if (how != LOCK_TIME)
        return;
    ck_assert_str_eq(vqemu_error_reason(error), "locked");
    ck_assert_str_eq(vqemu_error_detail(error, "path"), path);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), "not free in 150 ms"));
}

START_TEST(a_tree_that_another_has_locked_is_not_waited_for_without_end) {
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_free_ char *tree = strdup(vqemu_runtime_tree(runtime)), *saved = NULL;
    vqemu_vm *vm = NULL;
    vqemu_command *command = NULL;
    ck_assert_int_eq(vqemu_vm_new("web", &vm, NULL), 0);
    run_firmware_alone(vm);
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, NULL), 0);
    ck_assert_int_eq(vqemu_command_save(command, 0, &saved, NULL), 0);
    vqemu_command_unref(command);
    vqemu_vm_free(vm);
    vqemu_runtime_unref(TAKE_POINTER(runtime));
    is_given_up(tree, NULL, (enum lock_case)_i);
    is_given_up(tree, saved, (enum lock_case)_i);
}
END_TEST

START_TEST(links_that_another_has_locked_are_not_waited_for_without_end) {
    vqemu_runtime_unref(resolve(store, 0));
    _cleanup_free_ char *links = scratch_path("store/qemu"),
                        *link = scratch_path("store/qemu/emulate-x86");
    ck_assert_int_eq(unlink(link), 0);
    is_given_up(links, NULL, (enum lock_case)_i);
    vqemu_runtime_unref(resolve(store, 0));
    ck_assert(exists("store/qemu/emulate-x86"));
}
END_TEST

/* ---- generations ---- */

START_TEST(a_newer_revision_gives_a_new_tree_beside_the_old) {
    _cleanup_runtime_ vqemu_runtime *old = resolve(store, 0);
    write_file("profile/firmware/bios.bin", "newer", 0644);
    _cleanup_revision_ vqemu_revision *newer = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *new = resolve(store, 0);
    ck_assert_str_ne(vqemu_runtime_tree(old), vqemu_runtime_tree(new));
    _cleanup_free_ char *of_old = tree_path(old, "firmware/bios.bin"),
                        *through_link = read_file("store/qemu/emulate-x86/firmware/bios.bin");
    _cleanup_free_ char *old_content = read_file(of_old);
    ck_assert_str_eq(old_content, "firmware");
    ck_assert_str_eq(through_link, "newer");
    ck_assert_int_eq(count_entries("store/qemu/trees"), 2);
}
END_TEST

START_TEST(an_older_revision_can_be_asked_for) {
    write_file("profile/firmware/bios.bin", "newer", 0644);
    vqemu_revision_unref(build(store, NULL));
    vqemu_runtime_unref(resolve(store, 0));
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64"),
                                        *other = select_profile("kvm-linux", "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime = NULL;
    vqemu_runtime *none = NULL;
    ck_assert_int_eq(vqemu_resolve(store, selection, revision, 0, NULL, &runtime, NULL), 0);
    ck_assert_str_eq(vqemu_runtime_digest(runtime),
                     vqemu_manifest_digest(vqemu_revision_manifest(revision)));
    _cleanup_free_ char *through_link = read_file("store/qemu/emulate-x86/firmware/bios.bin");
    ck_assert_str_eq(through_link, "newer"); /* the link stays with the newest */
    ck_assert_int_eq(vqemu_resolve(store, other, revision, 0, NULL, &none, NULL),
                     VQEMU_ERR_INVALID);
}
END_TEST

START_TEST(a_real_directory_of_the_reference_system_is_moved_aside) {
    write_file("store/qemu/emulate-x86/bin/qemu-system-x86_64", "old", 0755);
    write_file("store/qemu/emulate-x86.replaced/x", "older", 0644);
    vqemu_runtime_unref(resolve(store, 0));
    _cleanup_free_ char *firmware = read_file("store/qemu/emulate-x86/firmware/bios.bin"),
                        *kept =
                            read_file("store/qemu/emulate-x86.replaced-2/bin/qemu-system-x86_64");
    ck_assert(S_ISLNK(stat_of("store/qemu/emulate-x86").st_mode));
    ck_assert_str_eq(firmware, "firmware");
    ck_assert_str_eq(kept, "old");
    ck_assert_int_eq(count_leftovers(), 0);
}
END_TEST

/* ---- many at once ---- */

static void *resolve_in_thread(void *unused) {
    (void)unused;
    vqemu_runtime_unref(resolve(store, 0));
    return NULL;
}

START_TEST(many_threads_get_one_tree) {
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, resolve_in_thread, NULL), 0);
    for (size_t i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 1);
    ck_assert_int_eq(count_leftovers(), 0);
}
END_TEST

static void build_and_resolve(int number) {
    _cleanup_store_ vqemu_store *own = open_store(0);
    for (int i = 0; i < 5; i++) {
        vqemu_ingest *built = NULL;
        if (number % 4 == 0 && ingest(own, NULL, &built, NULL) < 0)
            _exit(1);
        vqemu_ingest_free(built);
        vqemu_runtime_unref(resolve(own, number % 2 ? VQEMU_RESOLVE_VERIFY : 0));
    }
}

START_TEST(many_processes_get_one_tree) {
    enum { COUNT = 16 };
    pid_t children[COUNT];
    for (int i = 0; i < COUNT; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            build_and_resolve(i);
            _exit(0);
        }
    }
    for (int i = 0; i < COUNT; i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(count_entries("store/qemu/trees"), 1);
    ck_assert_int_eq(count_entries("store/cas/refs"), 1);
    ck_assert_int_eq(count_leftovers(), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("resolve");
    TCase *tests = tcase_create("resolve");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_tree_has_the_content_and_modes_of_the_manifest);
    tcase_add_test(tests, a_runtime_has_the_paths_of_its_tree);
    tcase_add_test(tests, a_missing_program_is_named_with_those_there_are);
    tcase_add_loop_test(tests, a_bad_object_is_named_and_no_tree_appears, 0, 5);
    tcase_add_test(tests, another_file_in_an_objects_place_is_hashed);
    tcase_add_test(tests, a_damaged_object_with_time_put_back_is_seen_by_the_full_check);
    tcase_add_loop_test(tests, objects_of_the_reference_system_are_used_and_not_changed, 0, 6);
    tcase_add_test(tests, modes_that_the_manifest_lacks_are_found_out);
    tcase_add_test(tests, one_content_can_have_both_modes);
    tcase_add_test(tests, a_damaged_alternative_is_made_again);
    tcase_add_test(tests, an_assembly_can_be_cancelled);
    tcase_add_test(tests, trees_on_another_file_system_are_copies);
    tcase_add_loop_test(tests, a_write_through_a_link_is_seen_and_damage_is_not_run, 0, 3);
    tcase_add_loop_test(tests, an_altered_tree_is_assembled_anew, 0, 9);
    tcase_add_loop_test(tests, trust_is_in_the_tree_that_was_seen, 0, 4);
    tcase_add_test(tests, a_changed_mode_of_a_file_is_seen);
    tcase_add_test(tests, a_file_with_time_put_back_is_seen_by_the_full_check);
    tcase_add_test(tests, a_leased_tree_survives_being_replaced);
    tcase_add_test(tests, a_lease_is_a_shared_lock);
    tcase_add_loop_test(tests, a_tree_that_another_has_locked_is_not_waited_for_without_end, 0,
                        LOCK_CASES);
    tcase_add_loop_test(tests, links_that_another_has_locked_are_not_waited_for_without_end, 0,
                        LOCK_CASES);
    tcase_add_test(tests, a_newer_revision_gives_a_new_tree_beside_the_old);
    tcase_add_test(tests, an_older_revision_can_be_asked_for);
    tcase_add_test(tests, a_real_directory_of_the_reference_system_is_moved_aside);
    tcase_add_test(tests, many_threads_get_one_tree);
    tcase_add_test(tests, many_processes_get_one_tree);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
