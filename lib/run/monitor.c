/* SPDX-License-Identifier: MIT */
/* A connection to a running QEMU. */
#include "run/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "base/json.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/utf8.h"

#define DEFAULT_TIME 30000 /* ms */
#define END_TIME 1000      /* ms that a process may take to end after it has closed its socket */
#define EVENTS_MAX ((size_t)1000)
#define EVENT_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct qmp_limit monitor_limit(const vqemu_call *call) {
    return (struct qmp_limit){.call = call, .deadline = call_deadline_or(call, DEFAULT_TIME)};
}

int monitor_goes_on(const vqemu_monitor *monitor, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_SYSTEM, ECONNRESET,
                      "QEMU has closed the connection at %s, but its process %d goes on",
                      monitor->name, (int)monitor->qmp.peer.pid);
    return error_because(r, error, "hung-up", VQEMU_DETAIL_PATH, monitor->name, NULL);
}

int monitor_hung_up(vqemu_monitor *monitor, const struct qmp_limit *limit, const char *late_reason,
                    vqemu_error **error) {
    const struct peer *peer = &monitor->qmp.peer;
    if (monitor->hung_up_at == 0)
        monitor->hung_up_at = call_now();
    while (peer->pid > 0 && !peer_has_ended(peer)) {
        int64_t now = call_now();
        if (now >= monitor->hung_up_at + END_TIME)
            return monitor_goes_on(monitor, error);
        if (vqemu_call_is_cancelled(limit->call))
            return call_check(limit->call, "the end of QEMU", error);
        if (now >= limit->deadline)
            return error_because(error_set(error, VQEMU_ERR_TIMEOUT, 0,
                                           "QEMU has closed the connection at %s, and its process "
                                           "%d has not ended yet",
                                           monitor->name, (int)peer->pid),
                                 error, call_late_reason(limit->call, limit->deadline, late_reason),
                                 VQEMU_DETAIL_PATH, monitor->name, NULL);
        poll(NULL, 0, 10);
    }
    return error_because(error_set(error, VQEMU_ERR_NOT_RUNNING, 0,
                                   "the VM is not running any more: QEMU at %s has ended",
                                   monitor->name),
                         error, "ended", VQEMU_DETAIL_PATH, monitor->name, NULL);
}

/* ---- events ---- */

static void forget_oldest(struct event_queue *queue) {
    queue->bytes -= strlen(queue->texts[0]);
    free(queue->texts[0]);
    memmove(queue->texts, queue->texts + 1, --queue->count * sizeof *queue->texts);
}

static int keep_event(struct event_queue *queue, json_t *event, vqemu_error **error) {
    char *text = NULL;
    if (!queue->texts)
        queue->texts = calloc(EVENTS_MAX, sizeof *queue->texts);
    if (!queue->texts)
        return error_no_memory(error);
    int r = json_to_line(event, &text, error);
    if (r < 0)
        return r;
    while (queue->count == EVENTS_MAX ||
           (queue->count > 0 && queue->bytes + strlen(text) > EVENT_BYTES_MAX)) {
        forget_oldest(queue);
        queue->lost++;
    }
    queue->bytes += strlen(text);
    queue->texts[queue->count++] = text;
    return 0;
}

/* The guest's own end is what "guest" says, and no reason of the host. */
static void note_end(vqemu_monitor *monitor, const json_t *event) {
    const json_t *data = json_object_get(event, "data");
    if (strcmp(json_string_value(json_object_get(event, "event")), "SHUTDOWN") != 0)
        return;
    monitor->is_ending = true;
    const json_t *guest = json_object_get(data, "guest");
    monitor->guest_is_off = monitor->guest_is_off || !json_is_false(guest);
}

/* Ends a wait: for the next event, and for the guest to be off. */
static int take_event(json_t *event, void *userdata, vqemu_error **error) {
    vqemu_monitor *monitor = userdata;
    note_end(monitor, event);
    int r = keep_event(&monitor->events, event, error);
    return r < 0 ? r : 1;
}

/* Says how many events were dropped before this one. */
static int add_lost(char **text, uint64_t lost, vqemu_error **error) {
    _cleanup_json_ json_t *event = NULL;
    int r = json_parse_object(*text, strlen(*text), "an event", &event, error);
    if (r < 0)
        return r;
    if (json_object_set_new(event, "lost", json_integer((json_int_t)lost)) < 0)
        return error_no_memory(error);
    free(*text);
    return json_to_line(event, text, error);
}

static int hand_out(struct event_queue *queue, char **event_json, vqemu_error **error) {
    char *text = strdup(queue->texts[0]);
    int r = text ? 0 : error_no_memory(error);
    if (r == 0 && queue->lost > 0)
        r = add_lost(&text, queue->lost, error);
    if (r < 0) {
        free(text);
        return r;
    }
    forget_oldest(queue);
    queue->lost = 0;
    *event_json = text;
    return 0;
}

/* ---- opening ---- */

/* Takes the descriptor over. */
static int start(int fd, const char *name, struct qmp_limit *limit, vqemu_monitor **monitor,
                 vqemu_error **error) {
    _cleanup_close_ int taken = fd;
    _cleanup_monitor_ vqemu_monitor *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    new->owner = getpid();
    new->qmp.fd = take_fd(&taken);
    new->qmp.peer = PEER_NONE;
    new->name = strdup(name);
    if (!new->name)
        return error_no_memory(error);
    new->qmp.name = new->name;
    new->qmp.on_event = take_event;
    new->qmp.userdata = new;
    int r = qmp_start(&new->qmp, limit, error);
    if (r == QMP_LATE)
        return qmp_no_answer(&new->qmp, limit, error);
    if (r == QMP_ENDED)
        return monitor_hung_up(new, limit, "no-answer", error);
    if (r == QMP_DONE)
        *monitor = TAKE_POINTER(new);
    return r;
}

VQEMU_EXPORT int vqemu_monitor_open(const char *path, uint32_t flags, vqemu_call *call,
                                    vqemu_monitor **monitor, vqemu_error **error) {
    int fd = -1;
    error_begin(error);
    REQUIRE_ARGUMENT(monitor, error);
    *monitor = NULL;
    REQUIRE_ARGUMENT(path, error);
    REQUIRE_FLAGS(flags, VQEMU_MONITOR_WAIT, error);
    int r = call_check(call, "the start", error);
    if (r < 0)
        return r;
    struct qmp_limit limit = monitor_limit(call);
    r = qmp_connect(path, flags & VQEMU_MONITOR_WAIT, &limit, &fd, error);
    if (r == QMP_LATE) {
        const struct qmp unconnected = {.name = path};
        return qmp_no_answer(&unconnected, &limit, error);
    }
    return r < 0 ? r : start(fd, path, &limit, monitor, error);
}

static int check_stream(int fd, const char *name, vqemu_error **error) {
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM)
        return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0, "%s is no stream socket", name);
}

VQEMU_EXPORT int vqemu_monitor_open_fd(int fd, const char *name, uint32_t flags, vqemu_call *call,
                                       vqemu_monitor **monitor, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(monitor, error);
    *monitor = NULL;
    REQUIRE_FLAGS(flags, 0, error);
    REQUIRE_DESCRIPTOR(fd, error);
    char number[32];
    snprintf(number, sizeof number, "descriptor %d", fd);
    const char *known = name ? name : number;
    int r = check_stream(fd, known, error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r < 0)
        return r;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0)
        return error_system_at(error, errno, "cannot duplicate the descriptor of", "%s", known);
    struct qmp_limit limit = monitor_limit(call);
    return start(copy, known, &limit, monitor, error);
}

VQEMU_EXPORT void vqemu_monitor_free(vqemu_monitor *monitor) {
    if (!monitor)
        return;
    qmp_close(&monitor->qmp);
    for (size_t i = 0; i < monitor->events.count; i++)
        free(monitor->events.texts[i]);
    free(monitor->events.texts);
    free(monitor->name);
    free(monitor);
}

/* ---- use ---- */

static int check_command(const char *command, vqemu_error **error) {
    if (*command && utf8_is_valid(command))
        return 0;
    return error_set(error, VQEMU_ERR_INVALID, 0,
                     "the name of a QMP command is empty or not UTF-8");
}

VQEMU_EXPORT int vqemu_monitor_execute(vqemu_monitor *monitor, const char *command,
                                       const char *arguments_json, uint32_t flags, vqemu_call *call,
                                       char **result_json, vqemu_error **error) {
    _cleanup_json_ json_t *arguments = NULL, *result = NULL;
    error_begin(error);
    if (result_json)
        *result_json = NULL;
    REQUIRE_ARGUMENT(monitor, error);
    REQUIRE_ARGUMENT(command, error);
    REQUIRE_FLAGS(flags, 0, error);
    REQUIRE_OWN(monitor, error);
    int r = check_command(command, error);
    if (r == 0)
        r = call_check(call, "the start", error);
    if (r == 0 && arguments_json)
        r = json_parse_object(arguments_json, strlen(arguments_json), "the arguments", &arguments,
                              error);
    if (r < 0)
        return r;
    struct qmp_limit limit = monitor_limit(call);
    r = qmp_execute(&monitor->qmp, command, arguments, &limit, &result, error);
    if (r == QMP_LATE)
        return qmp_no_answer(&monitor->qmp, &limit, error);
    if (r == QMP_ENDED)
        return monitor_hung_up(monitor, &limit, "no-answer", error);
    return r == QMP_DONE && result_json ? json_to_line(result, result_json, error) : r;
}

VQEMU_EXPORT int vqemu_monitor_next_event(vqemu_monitor *monitor, uint32_t flags, vqemu_call *call,
                                          char **event_json, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(event_json, error);
    *event_json = NULL;
    REQUIRE_ARGUMENT(monitor, error);
    REQUIRE_FLAGS(flags, VQEMU_EVENT_NOWAIT, error);
    REQUIRE_OWN(monitor, error);
    struct qmp_limit limit = monitor_limit(call);
    if (flags & VQEMU_EVENT_NOWAIT)
        limit.deadline = call_now();
    int r = monitor->events.count > 0 ? 1 : qmp_wait(&monitor->qmp, &limit, error);
    if (r < 0)
        return r;
    if (monitor->events.count > 0) /* also one that came just before the end */
        return hand_out(&monitor->events, event_json, error);
    if (r == QMP_ENDED)
        return monitor_hung_up(monitor, &limit, "no-event", error);
    return error_because(error_set(error, VQEMU_ERR_TIMEOUT, 0,
                                   "no event has come from QEMU at %s in time", monitor->name),
                         error, call_late_reason(limit.call, limit.deadline, "no-event"),
                         VQEMU_DETAIL_PATH, monitor->name, NULL);
}

VQEMU_EXPORT int vqemu_monitor_fd(const vqemu_monitor *monitor) {
    return monitor ? monitor->qmp.fd : -1;
}

VQEMU_EXPORT int64_t vqemu_monitor_pid(const vqemu_monitor *monitor) {
    return monitor ? monitor->qmp.peer.pid : 0;
}
