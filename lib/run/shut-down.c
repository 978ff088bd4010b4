/* SPDX-License-Identifier: MIT */
/* The orderly end of a VM. */
#include "run/monitor.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "base/json.h"
#include "base/options.h"
#include "util/export.h"

/* In milliseconds. */
#define ANSWER_TIME 10000 /* for QEMU to tell how its guest is */
#define PRESS_INTERVAL 10000
#define LOOK_INTERVAL 20 /* between two looks for the end of a process */

struct shutdown {
    vqemu_monitor *monitor;
    const vqemu_call *call;
    int64_t guest_deadline, deadline; /* of call_now(): for the guest, and for all */
    bool has_time;                    /* the guest has */
};

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* What may be read until a point of time; never beyond that for all. */
static struct qmp_limit until(const struct shutdown *shutdown, int64_t deadline) {
    return (struct qmp_limit){.call = shutdown->call,
                              .deadline = earlier(deadline, shutdown->deadline)};
}

static int execute(const struct shutdown *shutdown, const char *command, struct qmp_limit *limit,
                   json_t **result, vqemu_error **error) {
    return qmp_execute(&shutdown->monitor->qmp, command, NULL, limit, result, error);
}

/* The caller's own time is over, which may be before that of the guest. */
static int check_call(const struct shutdown *shutdown, vqemu_error **error) {
    return call_check(shutdown->call, "the shutdown of a VM", error);
}

/* ---- the guest ---- */

/* Whether the guest can hear of its power button: *listens. */
static int ask_status(const struct shutdown *shutdown, bool *listens, vqemu_error **error) {
    _cleanup_json_ json_t *answer = NULL;
    struct qmp_limit limit = until(shutdown, call_now() + ANSWER_TIME);
    int r = execute(shutdown, "query-status", &limit, &answer, error);
    const char *status = json_string_value(json_object_get(answer, "status"));
    bool is_suspended = status && strcmp(status, "suspended") == 0;
    if (r == QMP_DONE && is_suspended)
        r = execute(shutdown, "system_wakeup", &limit, NULL, error);
    *listens = is_suspended || (status && strcmp(status, "running") == 0);
    return r == QMP_LATE ? qmp_no_answer(&shutdown->monitor->qmp, &limit, error) : r;
}

/* QMP_DONE once the guest, or QEMU by itself, is about to end. */
static int wait_for_end(const struct shutdown *shutdown, struct qmp_limit *limit,
                        vqemu_error **error) {
    while (!shutdown->monitor->is_ending) {
        int r = qmp_wait(&shutdown->monitor->qmp, limit, error);
        if (r != QMP_DONE)
            return r;
        if (call_now() >= limit->deadline)
            return QMP_LATE;
    }
    return QMP_DONE;
}

/* Press the button until the guest is off (QMP_DONE), QEMU has ended, or the guest's time is over.
 */
static int press_button(const struct shutdown *shutdown, vqemu_error **error) {
    for (;;) {
        int64_t next = earlier(call_now() + PRESS_INTERVAL, shutdown->guest_deadline);
        struct qmp_limit limit = until(shutdown, next);
        int r = execute(shutdown, "system_powerdown", &limit, NULL, error);
        if (r == QMP_DONE)
            r = wait_for_end(shutdown, &limit, error);
        if (r != QMP_LATE)
            return r;
        r = check_call(shutdown, error);
        if (r < 0 || call_now() >= shutdown->guest_deadline)
            return r < 0 ? r : QMP_LATE;
    }
}

/* ---- QEMU ---- */

static int not_ended(const struct shutdown *shutdown, vqemu_error **error) {
    const char *name = shutdown->monitor->name;
    int r = check_call(shutdown, error);
    if (r < 0)
        return r;
    r = error_set(error, VQEMU_ERR_TIMEOUT, 0,
                  "QEMU at %s was told to quit, but has not ended in %d s", name,
                  VQEMU_MONITOR_QUIT_MS / 1000);
    return error_because(r, error, "not-ended", VQEMU_DETAIL_PATH, name, NULL);
}

/* Also where the guest is off already: with -no-shutdown, QEMU would stay. Until QEMU hangs up.
 * was_told: not, if it had ended before. */
static int quit(const struct shutdown *shutdown, bool *was_told, vqemu_error **error) {
    struct qmp_limit limit = until(shutdown, call_now() + VQEMU_MONITOR_QUIT_MS);
    int r = execute(shutdown, "quit", &limit, NULL, error);
    *was_told = r != QMP_ENDED;
    while (r == QMP_DONE && call_now() < limit.deadline)
        r = qmp_wait(&shutdown->monitor->qmp, &limit, error);
    return r == QMP_DONE ? QMP_LATE : r;
}

/* QEMU has hung up, which is the last but its exit. */
static int wait_for_exit(const struct shutdown *shutdown, vqemu_error **error) {
    const struct peer *peer = &shutdown->monitor->qmp.peer;
    int64_t deadline = earlier(call_now() + VQEMU_MONITOR_QUIT_MS, shutdown->deadline);
    while (peer->pid > 0 && !peer_has_ended(peer)) {
        struct pollfd poller = {.fd = peer->fd, .events = POLLIN};
        int r = check_call(shutdown, error);
        if (r < 0)
            return r;
        if (call_now() >= deadline)
            return monitor_goes_on(shutdown->monitor, error);
        poll(&poller, 1, LOOK_INTERVAL);
    }
    return 0;
}

/* ---- all of it ---- */

static int32_t ended_by_itself(const vqemu_monitor *monitor) {
    return monitor->guest_is_off ? VQEMU_SHUTDOWN_POWERED_OFF : VQEMU_SHUTDOWN_GONE;
}

/* Up to the point where QEMU has hung up, or did not in time. */
static int end_guest(const struct shutdown *shutdown, int32_t *end, vqemu_error **error) {
    vqemu_monitor *monitor = shutdown->monitor;
    bool listens = false;
    *end = VQEMU_SHUTDOWN_GONE;
    int r = shutdown->has_time ? ask_status(shutdown, &listens, error) : QMP_DONE;
    if (r == QMP_DONE && listens)
        r = press_button(shutdown, error);
    if (r < 0 || r == QMP_ENDED) {
        *end = ended_by_itself(monitor);
        return r;
    }
    if (monitor->guest_is_off)
        *end = VQEMU_SHUTDOWN_POWERED_OFF;
    else if (!monitor->is_ending)
        *end = listens || !shutdown->has_time ? VQEMU_SHUTDOWN_FORCED : VQEMU_SHUTDOWN_IDLE;
    bool was_told;
    r = quit(shutdown, &was_told, error);
    if (r == QMP_ENDED && !was_told)
        *end = ended_by_itself(monitor);
    return r;
}

VQEMU_EXPORT int vqemu_monitor_shut_down(vqemu_monitor *monitor, uint32_t timeout_ms,
                                         uint32_t flags, vqemu_call *call, int32_t *end,
                                         vqemu_error **error) {
    int32_t found = 0;
    error_begin(error);
    REQUIRE_ARGUMENT(end, error);
    *end = 0;
    REQUIRE_ARGUMENT(monitor, error);
    REQUIRE_OWN(monitor, error);
    REQUIRE_FLAGS(flags, 0, error);
    int r = options_check_time("timeout_ms", timeout_ms, INT32_MAX, error);
    if (r < 0)
        return r;
    int64_t guest_deadline = call_now() + timeout_ms;
    const struct shutdown shutdown = {
        .monitor = monitor,
        .call = call,
        .guest_deadline = guest_deadline,
        .deadline = earlier(guest_deadline + VQEMU_MONITOR_QUIT_MS, call_deadline(call)),
        .has_time = timeout_ms > 0,
    };
    monitor->guest_is_off = monitor->is_ending = false;
    r = check_call(&shutdown, error);
    if (r == 0)
        r = end_guest(&shutdown, &found, error);
    if (r == QMP_LATE)
        r = not_ended(&shutdown, error);
    else if (r == QMP_ENDED)
        r = wait_for_exit(&shutdown, error);
    if (r == 0)
        *end = found;
    return r;
}
