/* SPDX-License-Identifier: MIT */
#include "base/call.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/options.h"
#include "base/workers-max.h"
#include "util/export.h"
#include "util/strbuf.h"

#define DEFAULT_LOCK_TIMEOUT 120000
#define DEFAULT_MAX_OBJECTS 10000
#define DEFAULT_MAX_SIZE ((uint64_t)4 << 30)
/* Of registries that are in use, one refuses 501. */
#define DEFAULT_MAX_LAYERS 400

struct vqemu_call {
    atomic_uint references;
    atomic_bool cancelled;
    uint64_t threads, lock_timeout, max_objects, max_size, max_layers;
    uint64_t timeout;
    int64_t deadline;
    vqemu_progress_fn progress;
    void *progress_userdata;
    pthread_mutex_t log_lock; /* the hook hears of one event at a time */
    _Atomic pthread_t logger; /* the thread that is in the hook; 0 if none is */
    vqemu_log_fn log;
    void *log_userdata;
};

VQEMU_EXPORT int vqemu_call_new(vqemu_call **call, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(call, error);
    *call = calloc(1, sizeof **call);
    if (!*call)
        return error_no_memory(error);
    atomic_init(&(*call)->references, 1);
    atomic_init(&(*call)->logger, 0);
    (*call)->deadline = INT64_MAX;
    pthread_mutex_init(&(*call)->log_lock, NULL); /* never fails with default attributes */
    return 0;
}

VQEMU_EXPORT vqemu_call *vqemu_call_ref(vqemu_call *call) {
    if (call)
        atomic_fetch_add(&call->references, 1);
    return call;
}

VQEMU_EXPORT void vqemu_call_unref(vqemu_call *call) {
    if (!call || atomic_fetch_sub(&call->references, 1) != 1)
        return;
    pthread_mutex_destroy(&call->log_lock);
    free(call);
}

/* ---- settings ---- */

#define NUMBER(key, field)                                                                         \
    { key, OPTION_NUMBER, offsetof(vqemu_call, field) }

static const struct option_key KEYS[] = {
    NUMBER(VQEMU_CALL_THREADS, threads),
    NUMBER(VQEMU_CALL_DEADLINE_MS, timeout),
    NUMBER(VQEMU_CALL_LOCK_TIMEOUT_MS, lock_timeout),
    NUMBER(VQEMU_CALL_MAX_OBJECTS, max_objects),
    NUMBER(VQEMU_CALL_MAX_SIZE, max_size),
    NUMBER(VQEMU_CALL_MAX_LAYERS, max_layers),
};

static const struct options_type CALL = {"a call", sizeof(vqemu_call), KEYS,
                                         sizeof KEYS / sizeof *KEYS};

static void begin_timeout(vqemu_call *call) {
    int64_t now = call_now();
    call->deadline = call->timeout == 0 || call->timeout > (uint64_t)(INT64_MAX - now)
                         ? INT64_MAX
                         : now + (int64_t)call->timeout;
}

VQEMU_EXPORT int vqemu_call_set_number(vqemu_call *call, const char *key, uint64_t value,
                                       vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(call, error);
    REQUIRE_ARGUMENT(key, error);
    bool is_timeout = strcmp(key, VQEMU_CALL_DEADLINE_MS) == 0;
    int r = is_timeout || strcmp(key, VQEMU_CALL_LOCK_TIMEOUT_MS) == 0
                ? options_check_time(key, value, INT64_MAX, error)
                : 0;
    if (r == 0)
        r = options_set_number(&CALL, call, key, value, error);
    if (r == 0 && is_timeout)
        begin_timeout(call);
    return r;
}

VQEMU_EXPORT int vqemu_call_set_progress(vqemu_call *call, vqemu_progress_fn function,
                                         void *userdata, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(call, error);
    call->progress = function;
    call->progress_userdata = userdata;
    return 0;
}

VQEMU_EXPORT int vqemu_call_set_log(vqemu_call *call, vqemu_log_fn function, void *userdata,
                                    vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(call, error);
    call->log = function;
    call->log_userdata = userdata;
    return 0;
}

unsigned call_threads(const vqemu_call *call) {
    if (!call || call->threads == 0)
        return 1;
    return call->threads > WORKERS_MAX ? WORKERS_MAX : (unsigned)call->threads;
}

uint64_t call_lock_timeout(const vqemu_call *call) {
    return call && call->lock_timeout ? call->lock_timeout : DEFAULT_LOCK_TIMEOUT;
}

size_t call_max_objects(const vqemu_call *call) {
    uint64_t number = call && call->max_objects ? call->max_objects : DEFAULT_MAX_OBJECTS;
    return number > SIZE_MAX ? SIZE_MAX : (size_t)number;
}

uint64_t call_max_size(const vqemu_call *call) {
    uint64_t size = call && call->max_size ? call->max_size : DEFAULT_MAX_SIZE;
    return size > INT64_MAX ? INT64_MAX : size;
}

size_t call_max_layers(const vqemu_call *call) {
    uint64_t number = call && call->max_layers ? call->max_layers : DEFAULT_MAX_LAYERS;
    return number > CALL_LAYERS_MAX ? CALL_LAYERS_MAX : (size_t)number;
}

/* ---- giving up ---- */

VQEMU_EXPORT void vqemu_call_cancel(vqemu_call *call) {
    if (call)
        atomic_store(&call->cancelled, true); /* lock-free, so good in a signal handler */
}

VQEMU_EXPORT bool vqemu_call_is_cancelled(const vqemu_call *call) {
    return call && atomic_load(&call->cancelled);
}

int64_t call_deadline(const vqemu_call *call) {
    return call ? call->deadline : INT64_MAX;
}

const char *call_late_reason(const vqemu_call *call, int64_t deadline, const char *other) {
    return deadline == call_deadline(call) ? "deadline" : other;
}

int64_t call_deadline_or(const vqemu_call *call, int64_t milliseconds) {
    int64_t deadline = call_deadline(call);
    return deadline == INT64_MAX ? call_now() + milliseconds : deadline;
}

int64_t call_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int call_check(const vqemu_call *call, const char *doing, vqemu_error **error) {
    if (!call)
        return 0;
    if (atomic_load_explicit(&call->cancelled, memory_order_relaxed))
        return error_set(error, VQEMU_ERR_CANCELLED, 0, "cancelled at %s", doing);
    if (call->deadline == INT64_MAX || call_now() < call->deadline)
        return 0;
    return error_because(error_set(error, VQEMU_ERR_TIMEOUT, 0,
                                   "the time given, %llu ms, was over at %s",
                                   (unsigned long long)call->timeout, doing),
                         error, "deadline", NULL);
}

/* ---- callbacks ---- */

bool call_has_listener(const vqemu_call *call) {
    return call && call->progress;
}

int call_report(vqemu_call *call, const vqemu_progress *progress) {
    if (!call_has_listener(call))
        return 0;
    int r = call->progress(progress, call->progress_userdata);
    if (r != 0)
        vqemu_call_cancel(call);
    return r;
}

void call_log(vqemu_call *call, int32_t level, const char *event, struct log_subject subject,
              const char *format, ...) {
    va_list arguments;
    pthread_t self = pthread_self();
    if (!call || !call->log || pthread_equal(atomic_load(&call->logger), self))
        return; /* also of what the hook itself does with this call */
    va_start(arguments, format);
    struct strbuf text = {0};
    strbuf_addv(&text, format, arguments);
    va_end(arguments);
    _cleanup_free_ char *raw = strbuf_take(&text);
    _cleanup_free_ char *message = raw ? make_printable(raw) : NULL;
    const vqemu_log_record record = {
        .level = level,
        .event = event,
        .message = message ? message : "out of memory",
        .subject = subject,
    };
    pthread_mutex_lock(&call->log_lock);
    atomic_store(&call->logger, self);
    call->log(&record, call->log_userdata);
    atomic_store(&call->logger, 0);
    pthread_mutex_unlock(&call->log_lock);
}

void call_log_problem(vqemu_call *call, const char *event, const vqemu_error *problem) {
    const struct log_subject subject = {
        .path = vqemu_error_detail(problem, VQEMU_DETAIL_PATH),
        .object = vqemu_error_detail(problem, VQEMU_DETAIL_OBJECT),
        .revision = vqemu_error_detail(problem, VQEMU_DETAIL_REVISION),
        .host = vqemu_error_detail(problem, VQEMU_DETAIL_HOST),
    };
    call_log(call, VQEMU_LOG_WARNING, event, subject, "%s", vqemu_error_message(problem));
}
