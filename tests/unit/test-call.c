/* SPDX-License-Identifier: MIT */
/* What a call tells while it lasts, and how it is given up in the middle: inside one large file,
 * while it waits for a lock, for a pipe. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "store/ingest-result.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/strbuf.h"

#define LARGE ((off_t)8 << 20)

static vqemu_store *store;
static vqemu_revision *revision;

/* The first file of the profile is the program; the second, by path, is large. */
static void make_store(void) {
    make_scratch();
    write_file("profile/firmware/a-large-one", "x", 0644);
    _cleanup_free_ char *large = scratch_path("profile/firmware/a-large-one");
    ck_assert_int_eq(truncate(large, LARGE), 0);
    store = open_store(VQEMU_STORE_CREATE);
    revision = build(store, NULL);
}

static void remove_store(void) {
    vqemu_revision_unref(revision);
    vqemu_store_unref(store);
    remove_scratch();
}

/* ---- at the first sight ---- */

static int cancel(const vqemu_progress *progress, void *userdata) {
    uint64_t total = vqemu_progress_total(progress);
    const char *item = vqemu_progress_item(progress);
    ck_assert_ptr_nonnull(vqemu_progress_step(progress));
    ck_assert_str_ne(item ? item : "none", "");
    ck_assert(total == 0 || vqemu_progress_done(progress) <= total);
    (*(int *)userdata)++;
    return 1;
}

static int cancel_nothing(const vqemu_progress *progress, void *userdata) {
    (void)progress;
    ck_abort_msg("progress of a call that was cancelled before: %p", userdata);
}

/* The calls with a new way to give up each. */
typedef vqemu_call *(*new_call_fn)(void);

static int cancel_calls;

static vqemu_call *new_from_callback(void) {
    vqemu_call *call = make_watched_call(cancel, &cancel_calls);
    ck_assert_int_eq(vqemu_call_set_number(call, "threads", 3, NULL), 0);
    return call;
}

static vqemu_call *new_cancelled(void) {
    vqemu_call *call = make_watched_call(cancel_nothing, NULL);
    vqemu_call_cancel(call);
    return call;
}

static vqemu_call *new_expired(void) {
    vqemu_call *call = make_call("deadline_ms", 1);
    usleep(2000);
    return call;
}

#define GIVES_UP_AT_ONCE(code, expression)                                                         \
    do {                                                                                           \
        _cleanup_call_ vqemu_call *call = new_call();                                              \
        ck_assert_int_eq(expression, code);                                                        \
    } while (0)

static void give_up_everything(new_call_fn new_call, int code) {
    vqemu_ingest *result = NULL;
    vqemu_check *check = NULL;
    vqemu_collection *collection = NULL;
    vqemu_runtime *runtime = NULL;
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    export_archive(store, revision);
    write_file("profile/firmware/bios.bin", "newer", 0644);
    vqemu_revision_unref(build(store, NULL));
    _cleanup_store_ vqemu_store *other = open_other_store();
    _cleanup_close_ int in = open_archive(O_RDONLY), out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    GIVES_UP_AT_ONCE(code, ingest(other, call, &result, NULL));
    GIVES_UP_AT_ONCE(code, vqemu_store_import(other, in, NULL, NULL, VQEMU_IMPORT_ANY_PROFILE, call,
                                              &result, NULL));
    GIVES_UP_AT_ONCE(code, vqemu_store_copy(store, revision, other, 0, call, &result, NULL));
    GIVES_UP_AT_ONCE(code, vqemu_store_export(store, revision, out, NULL, 0, call, NULL));
    GIVES_UP_AT_ONCE(code, vqemu_store_check(store, NULL, 0, NULL, call, &check, NULL));
    GIVES_UP_AT_ONCE(code, collect_keeping(store, 1, 0, call, &collection, NULL));
    GIVES_UP_AT_ONCE(code, vqemu_resolve(store, selection, NULL, 0, call, &runtime, NULL));
    ck_assert_int_eq(count_entries("other/cas/objects"), 0);
    ck_assert_int_eq(count_entries("other/cas/refs"), 0);
    ck_assert_int_eq(count_entries("other/cas/tmp"), 0);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 0);
    ck_assert_uint_eq(count_problems(store, NULL, 0, NULL, 0), 0);
}

START_TEST(every_long_call_can_be_given_up) {
    give_up_everything(new_from_callback, VQEMU_ERR_CANCELLED);
    ck_assert_int_ge(cancel_calls, 7);
    give_up_everything(new_cancelled, VQEMU_ERR_CANCELLED);
    give_up_everything(new_expired, VQEMU_ERR_TIMEOUT);
}
END_TEST

/* ---- inside one file ---- */

/* Gives up when it hears for the second time of the step, in the middle of the large file. */
struct giving_up {
    const char *step;
    int calls;
    uint64_t done;
};

static int give_up(const vqemu_progress *progress, void *userdata) {
    struct giving_up *giving_up = userdata;
    if (strcmp(vqemu_progress_step(progress), giving_up->step) != 0)
        return 0;
    usleep(LONGER_THAN_INTERVAL);
    giving_up->done = vqemu_progress_done(progress);
    return ++giving_up->calls == 3;
}

#define GIVES_UP_INSIDE(step_name, expression)                                                     \
    do {                                                                                           \
        struct giving_up giving_up = {.step = (step_name)};                                        \
        _cleanup_call_ vqemu_call *call = make_watched_call(give_up, &giving_up);                  \
        ck_assert_int_eq(expression, VQEMU_ERR_CANCELLED);                                         \
        ck_assert_int_eq(giving_up.calls, 3);                                                      \
        done = giving_up.done;                                                                     \
    } while (0)

START_TEST(one_large_file_can_be_given_up) {
    _cleanup_store_ vqemu_store *other = open_other_store();
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    vqemu_ingest *result = NULL;
    vqemu_check *check = NULL;
    vqemu_runtime *runtime = NULL;
    uint64_t done;
    GIVES_UP_INSIDE("hash", ingest(other, call, &result, NULL));
    ck_assert(done > 0 && done < (uint64_t)LARGE);
    GIVES_UP_INSIDE("copy", vqemu_store_copy(store, revision, other, 0, call, &result, NULL));
    ck_assert(done > 0 && done < (uint64_t)LARGE);
    GIVES_UP_INSIDE("verify", vqemu_store_check(store, NULL, 0, NULL, call, &check, NULL));
    GIVES_UP_INSIDE("assemble", vqemu_resolve(store, selection, NULL, VQEMU_RESOLVE_VERIFY, call,
                                              &runtime, NULL));
    ck_assert_int_eq(count_leftovers(), 0);
    ck_assert_int_eq(count_entries("store/qemu/trees"), 0);
    ck_assert_int_eq(count_entries("other/cas/objects"), 0);
    ck_assert_int_eq(count_entries("other/cas/tmp"), 0);
}
END_TEST

/* ---- waiting ---- */

static int lock_store(const char *directory, int operation) {
    _cleanup_free_ char *path = scratch_path(directory);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(flock(fd, operation), 0);
    return fd;
}

static int hear_of_waiting(const vqemu_progress *progress, void *userdata) {
    ck_assert_str_eq(vqemu_progress_step(progress), "wait");
    ck_assert_ptr_null(vqemu_progress_unit(progress));
    (*(int *)userdata)++;
    return 0;
}

static int busy_call(int which, vqemu_call *call, vqemu_error **error) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_store_ vqemu_store *other = open_other_store();
    _cleanup_close_ int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    vqemu_ingest *result = NULL;
    vqemu_check *check = NULL;
    vqemu_collection *collection = NULL;
    vqemu_runtime *runtime = NULL;
    switch (which) {
    case 0:
        return vqemu_resolve(store, selection, NULL, 0, call, &runtime, error);
    case 1:
        return vqemu_store_check(store, NULL, 0, NULL, call, &check, error);
    case 2:
        return collect_keeping(store, 1, 0, call, &collection, error);
    case 3:
        return vqemu_store_export(store, revision, out, NULL, 0, call, error);
    case 4:
        return vqemu_store_copy(store, revision, other, 0, call, &result, error);
    case 5:
        return vqemu_store_pin(store, vqemu_revision_name(revision), NULL, 0, call, error);
    default:
        return vqemu_store_remove_revision(store, vqemu_revision_name(revision), 0, call, error);
    }
}
enum { BUSY_CALLS = 7 };

START_TEST(who_waits_is_told_and_can_give_up) {
    _cleanup_close_ int lock = lock_store("store/cas/objects", LOCK_EX);
    int heard = 0;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *busy = make_watched_call(hear_of_waiting, &heard),
                              *cancelled = make_call(NULL, 0);
    ck_assert_int_eq(vqemu_call_set_number(busy, "lock_timeout_ms", 200, NULL), 0);
    ck_assert_int_eq(busy_call(_i, busy, &error), VQEMU_ERR_BUSY);
    ck_assert_int_ge(heard, 1);
    ck_assert_str_eq(vqemu_error_reason(error), "locked");
    _cleanup_free_ char *holder = format_string("process %d", (int)getpid());
    ck_assert_msg(strstr(vqemu_error_detail(error, "holder"), holder) != NULL, "%s",
                  vqemu_error_message(error));
    _cleanup_call_ vqemu_call *late = make_call("deadline_ms", 500);
    ck_assert_int_eq(busy_call(_i, late, &error), VQEMU_ERR_TIMEOUT);
    ck_assert_str_eq(vqemu_error_reason(error), "deadline");
    ck_assert_msg(strstr(vqemu_error_message(error), holder) != NULL, "%s",
                  vqemu_error_message(error));
    ck_assert_ptr_nonnull(strstr(vqemu_error_detail(error, "path"), "/cas/objects"));
    vqemu_call_cancel(cancelled);
    ck_assert_int_eq(busy_call(_i, cancelled, &error), VQEMU_ERR_CANCELLED);
}
END_TEST

START_TEST(a_pipe_that_nobody_serves_is_given_up) {
    int in[2], out[2];
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_ingest *result = NULL;
    vqemu_manifest *manifest = NULL;
    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    _cleanup_call_ vqemu_call *first = make_call("deadline_ms", 200);
    ck_assert_int_eq(vqemu_store_export(store, revision, out[1], NULL, 0, first, &error),
                     VQEMU_ERR_TIMEOUT); /* larger than a pipe */
    _cleanup_call_ vqemu_call *second = make_call("deadline_ms", 200);
    ck_assert_int_eq(vqemu_store_import(store, in[0], NULL, NULL, VQEMU_IMPORT_ANY_PROFILE, second,
                                        &result, &error),
                     VQEMU_ERR_TIMEOUT);
    _cleanup_call_ vqemu_call *third = make_call("deadline_ms", 200);
    ck_assert_int_eq(vqemu_manifest_load_fd(in[0], NULL, 0, third, &manifest, &error),
                     VQEMU_ERR_TIMEOUT);
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
}
END_TEST

/* ---- events ---- */

static const char *const detail_names[] = {VQEMU_DETAIL_PATH, VQEMU_DETAIL_OBJECT,
                                           VQEMU_DETAIL_REVISION};
enum { DETAIL_PATH, DETAIL_OBJECT, DETAIL_REVISION, DETAILS };

struct event {
    int32_t level;
    char name[32], message[512], details[DETAILS][256];
    int count;
};

static void hear(const vqemu_log_record *record, void *userdata) {
    struct event *heard = userdata;
    heard->level = vqemu_log_record_level(record);
    heard->count++;
    snprintf(heard->name, sizeof heard->name, "%s", vqemu_log_record_event(record));
    snprintf(heard->message, sizeof heard->message, "%s", vqemu_log_record_message(record));
    for (size_t i = 0; i < DETAILS; i++) {
        const char *detail = vqemu_log_record_detail(record, detail_names[i]);
        snprintf(heard->details[i], sizeof heard->details[i], "%s", detail ? detail : "");
    }
    ck_assert_ptr_null(vqemu_log_record_detail(record, "no-such"));
}

static vqemu_call *make_logged_call(struct event *event) {
    vqemu_call *call = make_call(NULL, 0);
    *event = (struct event){0};
    ck_assert_int_eq(vqemu_call_set_log(call, hear, event, NULL), 0);
    return call;
}

static void was_heard(const struct event *event, int32_t level, const char *name,
                      const char *mentioned) {
    ck_assert_msg(event->count == 1, "%d events, %s", event->count, event->message);
    ck_assert_int_eq(event->level, level);
    ck_assert_str_eq(event->name, name);
    ck_assert_msg(strstr(event->message, mentioned) != NULL, "%s", event->message);
}

START_TEST(an_altered_tree_is_told_of) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    struct event event;
    _cleanup_call_ vqemu_call *call = make_logged_call(&event);
    _cleanup_runtime_ vqemu_runtime *runtime = NULL, *again = NULL;
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, call, &runtime, NULL), 0);
    ck_assert_int_eq(event.count, 0); /* it was not there at all */
    _cleanup_free_ char *file = tree_path(runtime, "lib/libone.so.1");
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(vqemu_resolve(store, selection, NULL, 0, call, &again, NULL), 0);
    was_heard(&event, VQEMU_LOG_WARNING, "tree-altered", "lib");
    ck_assert_str_eq(event.details[DETAIL_REVISION], vqemu_runtime_revision_name(again));
    ck_assert_ptr_nonnull(strstr(event.details[DETAIL_PATH], "trees"));
}
END_TEST

START_TEST(a_replaced_object_is_told_of) {
    struct event event;
    _cleanup_call_ vqemu_call *call = make_logged_call(&event);
    _cleanup_free_ char *path = object_path(revision, "firmware/bios.bin");
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    ck_assert_int_eq(unlink(path), 0);
    write_file(path, "Firmware", 0444);
    ck_assert_int_eq(ingest(store, call, &result, NULL), 0);
    was_heard(&event, VQEMU_LOG_WARNING, "object-replaced", strrchr(path, '/') + 1);
    ck_assert_str_eq(event.details[DETAIL_OBJECT], strrchr(path, '/') + 1);
    ck_assert_uint_eq(vqemu_ingest_new_object_count(result), 1);
}
END_TEST

START_TEST(a_broken_revision_is_told_of) {
    struct event event;
    _cleanup_call_ vqemu_call *call = make_logged_call(&event);
    vqemu_revision_list *list = NULL;
    write_file("store/cas/refs/x-00000001.json", "{", 0644);
    ck_assert_int_eq(vqemu_store_list_revisions(store, NULL, 0, call, &list, NULL), 0);
    was_heard(&event, VQEMU_LOG_WARNING, "revision-broken", "x-00000001.json");
    ck_assert_ptr_nonnull(strstr(event.details[DETAIL_PATH], "x-00000001.json"));
    vqemu_revision_list_free(list);
}
END_TEST

struct curious {
    vqemu_call *call;
    int count, listed;
};

static void look_again(const vqemu_log_record *record, void *userdata) {
    struct curious *curious = userdata;
    vqemu_revision_list *list = NULL;
    (void)record;
    curious->count++;
    if (vqemu_store_list_revisions(store, NULL, 0, curious->call, &list, NULL) == 0)
        curious->listed++;
    vqemu_revision_list_free(list);
}

START_TEST(who_is_told_may_use_the_call) {
    struct curious curious = {.call = make_call(NULL, 0)};
    _cleanup_call_ vqemu_call *call = curious.call;
    vqemu_revision_list *list = NULL;
    write_file("store/cas/refs/x-00000001.json", "{", 0644);
    write_file("store/cas/refs/x-00000002.json", "{", 0644);
    ck_assert_int_eq(vqemu_call_set_log(call, look_again, &curious, NULL), 0);
    ck_assert_int_eq(vqemu_store_list_revisions(store, NULL, 0, call, &list, NULL), 0);
    vqemu_revision_list_free(list);
    ck_assert_int_eq(curious.count, 2);
    ck_assert_int_eq(curious.listed, 2);
}
END_TEST

START_TEST(copies_in_a_tree_are_told_of) {
    char trees[] = "/dev/shm/test-trees-XXXXXX";
    _cleanup_free_ char *root = scratch_path("store");
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    struct event event;
    _cleanup_call_ vqemu_call *call = make_logged_call(&event);
    _cleanup_store_ vqemu_store *apart = NULL;
    vqemu_store_options *options = NULL;
    vqemu_runtime *runtime = NULL;
    ck_assert_ptr_nonnull(mkdtemp(trees));
    ck_assert_int_eq(vqemu_store_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "root", root, NULL), 0);
    ck_assert_int_eq(vqemu_store_options_set_string(options, "trees", trees, NULL), 0);
    ck_assert_int_eq(vqemu_store_open(options, 0, &apart, NULL), 0);
    vqemu_store_options_free(options);
    ck_assert_int_eq(vqemu_resolve(apart, selection, NULL, 0, call, &runtime, NULL), 0);
    was_heard(&event, VQEMU_LOG_INFO, "placed-by-copy", "EXDEV");
    vqemu_runtime_unref(runtime);
    _cleanup_free_ char *command = format_string("rm -rf %s", trees);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* Negative in the caller's program. */
START_TEST(a_time_below_0_is_refused) {
    const char *const keys[] = {VQEMU_CALL_DEADLINE_MS, VQEMU_CALL_LOCK_TIMEOUT_MS};
    _cleanup_call_ vqemu_call *call = make_call("threads", 1);
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_call_set_number(call, keys[_i], (uint64_t)-1, &error),
                     VQEMU_ERR_INVALID);
    ck_assert_str_eq(vqemu_error_reason(error), "out-of-range");
    ck_assert_str_eq(vqemu_error_detail(error, "key"), keys[_i]);
    ck_assert_int_eq(vqemu_call_set_number(call, keys[_i], INT64_MAX, NULL), 0);
    ck_assert_int_eq(vqemu_call_set_number(call, keys[_i], 0, NULL), 0);
}
END_TEST

/* It named "timeout" for "deadline_ms". */
START_TEST(the_keys_that_are_named_can_be_set) {
    _cleanup_call_ vqemu_call *call = make_call("threads", 1);
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_call_set_number(call, "deadlin_ms", 1, &error), VQEMU_ERR_UNKNOWN_KEY);
    ck_assert_str_eq(vqemu_error_detail(error, "suggestion"), VQEMU_CALL_DEADLINE_MS);
    _cleanup_free_ char *choices = strdup(vqemu_error_detail(error, "choices"));
    int count = 0;
    char *rest = NULL;
    for (char *key = strtok_r(choices, ", ", &rest); key; key = strtok_r(NULL, ", ", &rest)) {
        ck_assert_int_eq(vqemu_call_set_number(call, key, 1, NULL), 0);
        count++;
    }
    ck_assert_int_eq(count, 6);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("call");
    TCase *tests = tcase_create("call");
    tcase_add_checked_fixture(tests, make_store, remove_store);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_long_call_can_be_given_up);
    tcase_add_test(tests, one_large_file_can_be_given_up);
    tcase_add_loop_test(tests, who_waits_is_told_and_can_give_up, 0, BUSY_CALLS);
    tcase_add_test(tests, a_pipe_that_nobody_serves_is_given_up);
    tcase_add_test(tests, an_altered_tree_is_told_of);
    tcase_add_test(tests, a_replaced_object_is_told_of);
    tcase_add_test(tests, a_broken_revision_is_told_of);
    tcase_add_test(tests, who_is_told_may_use_the_call);
    tcase_add_test(tests, copies_in_a_tree_are_told_of);
    tcase_add_loop_test(tests, a_time_below_0_is_refused, 0, 2);
    tcase_add_test(tests, the_keys_that_are_named_can_be_set);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
