/* SPDX-License-Identifier: MIT */
/* Many threads of one process, which share a handle or have their own; also run by ThreadSanitizer.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "base/workers.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/strbuf.h"

enum { ROUNDS = 6, FILES = 1200 };

static vqemu_store *shared;
static vqemu_call *two_threads;
static char archive[64];

static void make_store(void) {
    make_scratch();
    for (int i = 0; i < 40; i++) {
        char path[64];
        snprintf(path, sizeof path, "profile/firmware/%d/file", i);
        write_file(path, path, 0644);
    }
    shared = open_store(VQEMU_STORE_CREATE);
    two_threads = make_call("threads", 2);
    vqemu_revision_unref(build(shared, NULL));
}

static void remove_store(void) {
    vqemu_call_unref(two_threads);
    vqemu_store_unref(shared);
    remove_scratch();
}

/* ---- one handle, everything at once ---- */

static void check_tree(const vqemu_runtime *runtime) {
    int fd = openat(vqemu_runtime_lease_fd(runtime), "firmware/7/file", O_RDONLY | O_CLOEXEC);
    char content[64] = "";
    ck_assert_int_ge(fd, 0);
    ck_assert_int_gt(read(fd, content, sizeof content - 1), 0);
    ck_assert_str_eq(content, "profile/firmware/7/file");
    close(fd);
}

static void *resolve_often(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        _cleanup_runtime_ vqemu_runtime *runtime =
            resolve(shared, i % 3 ? 0 : VQEMU_RESOLVE_VERIFY);
        check_tree(runtime);
        ck_assert_ptr_nonnull(vqemu_runtime_revision_name(runtime));
    }
    return NULL;
}

static void *build_often(void *unused) {
    (void)unused;
    _cleanup_free_ char *directory = scratch_path("profile");
    for (int i = 0; i < ROUNDS; i++) {
        vqemu_ingest *result = NULL;
        char date[32];
        snprintf(date, sizeof date, "%d", i);
        vqemu_ingest_options *options = make_ingest_options("build_date", date);
        ck_assert_int_eq(
            vqemu_store_ingest(shared, directory, options, 0, two_threads, &result, NULL), 0);
        vqemu_ingest_options_free(options);
        vqemu_ingest_free(result);
    }
    return NULL;
}

static void *collect_often(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        vqemu_collection *collection = NULL;
        ck_assert_int_eq(collect_keeping(shared, 1, 0, NULL, &collection, NULL), 0);
        vqemu_collection_free(collection);
    }
    return NULL;
}

static void *check_often(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        vqemu_check *check = NULL;
        ck_assert_int_eq(vqemu_store_check(shared, NULL, 0, NULL, two_threads, &check, NULL), 0);
        vqemu_check_free(check);
    }
    return NULL;
}

/* What a collection removes is not missing from a revision that was listed before. */
static void *measure_often(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        vqemu_size_list *sizes = NULL;
        ck_assert_int_eq(vqemu_store_list_sizes(shared, NULL, 0, NULL, &sizes, NULL), 0);
        ck_assert(vqemu_size_list_is_complete(sizes));
        for (size_t j = 0; j < vqemu_size_list_count(sizes); j++)
            ck_assert_int_eq(vqemu_size_list_missing_count(sizes, j), 0);
        vqemu_size_list_free(sizes);
    }
    return NULL;
}

static void *import_often(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        vqemu_ingest *result = NULL;
        int fd = open(archive, O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(vqemu_store_import(shared, fd, NULL, NULL, VQEMU_IMPORT_ANY_PROFILE, NULL,
                                            &result, NULL),
                         0);
        vqemu_ingest_free(result);
        close(fd);
    }
    return NULL;
}

/* What is pinned is there, whatever others collect and unpin. It can be gone before it is pinned.
 */
static void *pin_often(void *unused) {
    static atomic_int number;
    char holder[32];
    (void)unused;
    snprintf(holder, sizeof holder, "thread:%d", atomic_fetch_add(&number, 1));
    for (int i = 0; i < ROUNDS; i++) {
        _cleanup_revision_ vqemu_revision *found = NULL, *again = NULL;
        vqemu_use_list *uses = NULL;
        ck_assert_int_eq(vqemu_store_find_revision(shared, "emulate-x86", 0, NULL, &found, NULL),
                         0);
        const char *name = vqemu_revision_name(found);
        int r = vqemu_store_pin(shared, name, holder, 0, NULL, NULL);
        if (r == VQEMU_ERR_NO_REVISION)
            continue;
        ck_assert_int_eq(r, 0);
        ck_assert_int_eq(vqemu_store_list_uses(shared, name, 0, NULL, &uses, NULL), 0);
        vqemu_use_list_free(uses);
        ck_assert_int_eq(vqemu_store_find_revision(shared, name, 0, NULL, &again, NULL), 0);
        ck_assert_int_eq(vqemu_store_remove_revision(shared, name, 0, NULL, NULL), VQEMU_ERR_BUSY);
        ck_assert_int_eq(vqemu_store_unpin(shared, name, holder, 0, NULL, NULL), 0);
    }
    return NULL;
}

/* Who rolls back and forward again leaves nobody without a revision. */
static void *choose_often(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        _cleanup_revision_ vqemu_revision *found = NULL;
        ck_assert_int_eq(vqemu_store_find_revision(shared, "emulate-x86", 0, NULL, &found, NULL),
                         0);
        int r = vqemu_store_set_current(shared, vqemu_revision_name(found), 0, NULL, NULL);
        ck_assert(r == 0 || r == VQEMU_ERR_NO_REVISION);
        ck_assert_int_eq(vqemu_store_set_current(shared, "emulate-x86", 0, NULL, NULL), 0);
    }
    return NULL;
}

START_TEST(threads_that_share_a_handle) {
    static void *(*const work[])(void *unused) = {
        resolve_often, build_often, collect_often, check_often, import_often, resolve_often,
        resolve_often, build_often, pin_often,     pin_often,   choose_often, measure_often};
    enum { THREADS = sizeof work / sizeof work[0] };
    pthread_t threads[THREADS];
    _cleanup_revision_ vqemu_revision *revision = NULL;
    snprintf(archive, sizeof archive, "%s/archive.tar", scratch);
    int fd = open(archive, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_eq(vqemu_store_find_revision(shared, "emulate-x86", 0, NULL, &revision, NULL), 0);
    ck_assert_int_eq(vqemu_store_export(shared, revision, fd, NULL, 0, NULL, NULL), 0);
    close(fd);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    vqemu_check *check = NULL;
    ck_assert_int_eq(vqemu_store_check(shared, NULL, 0, NULL, NULL, &check, NULL), 0);
    ck_assert_uint_eq(vqemu_check_problem_count(check), 0);
    vqemu_check_free(check);
    collect_often(NULL);
    ck_assert_int_eq(count_leftovers(), 0);
}
END_TEST

/* ---- threads of the library ---- */

START_TEST(more_threads_give_the_same_result) {
    for (int i = 0; i < FILES; i++) {
        char path[64];
        snprintf(path, sizeof path, "profile/lib/%d/%d", i % 30, i);
        write_file(path, path, 0644);
    }
    _cleanup_call_ vqemu_call *call = make_call("threads", 4);
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    _cleanup_runtime_ vqemu_runtime *runtime = NULL, *verified = NULL;
    ck_assert_int_eq(ingest(shared, call, &result, NULL), 0);
    const vqemu_revision *revision = vqemu_ingest_revision(result);
    ck_assert_uint_eq(vqemu_manifest_object_count(vqemu_revision_manifest(revision)), FILES + 45);
    ck_assert_int_eq(vqemu_resolve(shared, selection, NULL, 0, call, &runtime, NULL), 0);
    ck_assert_int_eq(
        vqemu_resolve(shared, selection, NULL, VQEMU_RESOLVE_VERIFY, call, &verified, NULL), 0);
    _cleanup_revision_ vqemu_revision *again = build(shared, NULL);
    ck_assert_str_eq(vqemu_revision_name(revision), vqemu_revision_name(again));
}
END_TEST

struct items {
    int times[1000];
    int fail_at;
};

static int do_item(void *context, unsigned worker, size_t index, vqemu_error **error) {
    struct items *items = context;
    sigset_t blocked;
    ck_assert_uint_lt(worker, 4);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
    ck_assert_int_eq(sigismember(&blocked, SIGUSR1), worker > 0);
    items->times[index]++;
    return (int)index == items->fail_at
               ? error_set(error, VQEMU_ERR_SYSTEM, 0, "item %zu failed", index)
               : 0;
}

START_TEST(each_item_is_done_once) {
    struct items items = {.fail_at = -1};
    struct vqemu_progress progress = {.step = "test", .unit = ""};
    const struct work work = {.function = do_item,
                              .context = &items,
                              .count = 1000,
                              .chunk = (size_t)_i,
                              .progress = &progress};
    ck_assert_int_eq(workers_run(&work, 4, NULL), 0);
    for (size_t i = 0; i < 1000; i++)
        ck_assert_int_eq(items.times[i], 1);
    _cleanup_error_ vqemu_error *error = NULL;
    items.fail_at = 500;
    ck_assert_int_eq(workers_run(&work, 4, &error), VQEMU_ERR_SYSTEM);
    ck_assert_str_eq(vqemu_error_message(error), "item 500 failed");
}
END_TEST

static int do_slowly(void *context, unsigned worker, size_t index, vqemu_error **error) {
    usleep(worker == 0 ? 1000 : 30000); /* so that the caller's thread is not the last */
    (void)index;
    return progress_advance(context, worker, "item", 1, error);
}

static int note_done(const vqemu_progress *progress, void *userdata) {
    *(uint64_t *)userdata = vqemu_progress_done(progress);
    return 0;
}

START_TEST(the_end_is_told_whoever_comes_last) {
    uint64_t done = 0;
    _cleanup_call_ vqemu_call *call = NULL;
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    ck_assert_int_eq(vqemu_call_set_progress(call, note_done, &done, NULL), 0);
    struct vqemu_progress progress = {.call = call};
    progress_start(&progress, "hash", "files", 4);
    const struct work work = {
        .function = do_slowly, .context = &progress, .count = 4, .progress = &progress};
    ck_assert_int_eq(workers_run(&work, 4, NULL), 0);
    ck_assert_uint_eq(done, 4);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("threads");
    TCase *tests = tcase_create("threads");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, threads_that_share_a_handle);
    tcase_add_test(tests, more_threads_give_the_same_result);
    tcase_add_loop_test(tests, each_item_is_done_once, 0, 8);
    tcase_add_test(tests, the_end_is_told_whoever_comes_last);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
