/* SPDX-License-Identifier: MIT */
#include "qemu/qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/call.h"
#include "base/error.h"
#include "qemu/pid-file.h"
#include "qemu/wide-number.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

#define LINE_LENGTH_MAX ((size_t)1024 * 1024)
#define BYTES_MAX ((size_t)64 * 1024 * 1024)
#define MESSAGES_MAX ((size_t)100000)
#define READ_SIZE ((size_t)16384)
#define RETRY_INTERVAL 50  /* ms */
#define GAP_TIME 5000      /* ms that a QEMU may run without its sockets: see qmp_connect() */
#define CANCEL_INTERVAL 50 /* ms in which a cancelled call is noticed */

/* ---- waiting ---- */

static int check_cancelled(const struct qmp_limit *limit, const char *name, vqemu_error **error) {
    if (!vqemu_call_is_cancelled(limit->call))
        return 0;
    return error_set(error, VQEMU_ERR_CANCELLED, 0, "cancelled while waiting for QEMU at %s", name);
}

/* Milliseconds to sleep at a time. */
static int time_left(const struct qmp_limit *limit) {
    int64_t left = limit->deadline - call_now();
    int64_t most = limit->call ? CANCEL_INTERVAL : 1000;
    return (int)(left < 0 ? 0 : left > most ? most : left);
}

/*
 * Wait for the socket, or the end of the process: something that QEMU started could hold the other
 * side of the socket open. What has come in is read first.
 */
static int wait_for(const struct qmp *qmp, short events, const struct qmp_limit *limit,
                    vqemu_error **error) {
    for (;;) {
        struct pollfd pollers[] = {{.fd = qmp->fd, .events = events},
                                   {.fd = qmp->peer.fd, .events = POLLIN}};
        int r = check_cancelled(limit, qmp->name, error);
        if (r < 0)
            return r;
        int n = poll(pollers, 2, time_left(limit));
        if (n < 0 && errno != EINTR)
            return error_system_at(error, errno, "cannot wait for QEMU at", "%s", qmp->name);
        if (n > 0 && pollers[0].revents)
            return QMP_DONE;
        if (n > 0 && pollers[1].revents)
            return QMP_ENDED;
        if (call_now() >= limit->deadline)
            return QMP_LATE;
    }
}

int qmp_no_answer(const struct qmp *qmp, const struct qmp_limit *limit, vqemu_error **error) {
    bool is_callers = limit->deadline == call_deadline(limit->call);
    bool has_greeted = qmp->last_id > 0; /* else nothing was asked yet */
    int r = error_set(error, VQEMU_ERR_TIMEOUT, 0, "QEMU does not answer at %s%s%s", qmp->name,
                      is_callers ? " in the time that was given" : "",
                      has_greeted ? "" : "; does another client hold the socket?");
    return error_because(r, error, call_late_reason(limit->call, limit->deadline, "no-answer"),
                         VQEMU_DETAIL_PATH, qmp->name, NULL);
}

/* ---- the socket ---- */

static bool is_end(int system_errno) {
    return system_errno == EPIPE || system_errno == ECONNRESET;
}

static int send_all(const struct qmp *qmp, const char *text, const struct qmp_limit *limit,
                    vqemu_error **error) {
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t n = send(qmp->fd, text, left, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            text += n;
            left -= (size_t)n;
        } else if (is_end(errno)) {
            return QMP_ENDED;
        } else if (errno == EAGAIN) {
            int r = wait_for(qmp, POLLOUT, limit, error);
            if (r != QMP_DONE)
                return r;
        } else if (errno != EINTR) {
            return error_system_at(error, errno, "cannot write to QEMU at", "%s", qmp->name);
        }
    }
    return QMP_DONE;
}

static int make_address(const char *path, struct sockaddr_un *address, vqemu_error **error) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0)
        return error_set(error, VQEMU_ERR_INVALID, 0, "the path of the QMP socket is empty");
    if (length >= sizeof address->sun_path)
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "the path of the QMP socket has %zu bytes; Linux allows %zu: %s", length,
                         sizeof address->sun_path - 1, path);
    memcpy(address->sun_path, path, length);
    return 0;
}

static int out_of_reach(const char *path, int system_errno, pid_t pid, vqemu_error **error) {
    _cleanup_free_ char *process = pid > 0 ? format_string(", process %d,", (int)pid) : strdup("");
    if (!process)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_SYSTEM, system_errno,
                      "a QEMU%s has locked %.*s" PID_FILE_NAME
                      ", but nobody listens at %s: the socket was removed, or is another one",
                      process, (int)(base_name(path) - path), path, path);
    return error_because(r, error, "no-socket", VQEMU_DETAIL_PATH, path, NULL);
}

/* For whom is waited while nobody listens. */
struct wait {
    bool is_asked_for; /* also for a QEMU of which there is no sign yet */
    bool has_begun;    /* a QEMU has, by its PID file */
    int64_t due;       /* of call_now(): for one that runs without its sockets */
};

/* Nobody listens. 0 if somebody may yet. */
static int not_listening(const char *path, int system_errno, struct wait *wait,
                         vqemu_error **error) {
    struct stat status;
    pid_t pid = 0;
    if (stat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
        return error_because(
            error_set(error, VQEMU_ERR_INVALID, 0, "%s is no socket of a VM", path), error,
            "not-a-socket", VQEMU_DETAIL_PATH, path, NULL);
    int r = pid_file_is_locked_beside(path, &pid);
    if (r < 0)
        return error_system(error, -r,
                            "nobody listens at %s, but whether its VM runs cannot be told by "
                            "%.*s" PID_FILE_NAME,
                            path, (int)(base_name(path) - path), path);
    wait->has_begun = wait->has_begun || r == 1;
    if (r == 1 && !wait->is_asked_for && call_now() >= wait->due)
        return out_of_reach(path, system_errno, pid, error);
    if (r == 1 || (wait->is_asked_for && !wait->has_begun))
        return 0;
    r = error_set(error, VQEMU_ERR_NOT_RUNNING, system_errno,
                  "the VM is not running: no QEMU listens at %s", path);
    return error_because(r, error, "not-running", VQEMU_DETAIL_PATH, path, NULL);
}

static bool is_nobody(int system_errno) {
    return system_errno == ENOENT || system_errno == ECONNREFUSED;
}

/* 0 if it can be tried again. */
static int connect_failed(const char *path, int system_errno, struct wait *wait,
                          vqemu_error **error) {
    if (is_nobody(system_errno))
        return not_listening(path, system_errno, wait, error);
    if (system_errno == EAGAIN || system_errno == EINTR) /* too many others wait to be served */
        return 0;
    return error_system_at(error, system_errno, "cannot connect to", "%s", path);
}

/* The time is over. */
static int connect_late(const char *path, int system_errno, const struct qmp_limit *limit,
                        vqemu_error **error) {
    if (!is_nobody(system_errno))
        return QMP_LATE;
    int r = error_set(error, VQEMU_ERR_TIMEOUT, 0,
                      "no QEMU has begun to listen at %s in the time that it had", path);
    return error_because(r, error, call_late_reason(limit->call, limit->deadline, "no-answer"),
                         VQEMU_DETAIL_PATH, path, NULL);
}

/*
 * QEMU locks its PID file before it makes its sockets, and removes these before it ends: while it
 * has none, it begins or ends, and is tried again for a while.
 */
int qmp_connect(const char *path, bool is_waited_for, const struct qmp_limit *limit, int *fd,
                vqemu_error **error) {
    struct sockaddr_un address;
    int r = make_address(path, &address, error);
    if (r < 0)
        return r;
    _cleanup_close_ int new =
        fd_above_stdio(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (new < 0)
        return error_system(error, -new, "cannot make a socket");
    struct wait wait = {.is_asked_for = is_waited_for, .due = call_now() + GAP_TIME};
    while (connect(new, (const struct sockaddr *)&address, sizeof address) < 0) {
        int failure = errno;
        r = connect_failed(path, failure, &wait, error);
        if (r == 0)
            r = check_cancelled(limit, path, error);
        if (r < 0)
            return r;
        if (call_now() >= limit->deadline)
            return connect_late(path, failure, limit, error);
        poll(NULL, 0, RETRY_INTERVAL);
    }
    *fd = take_fd(&new);
    return QMP_DONE;
}

void qmp_close(struct qmp *qmp) {
    cleanup_close(&qmp->fd);
    peer_close(&qmp->peer);
    free(qmp->input);
    qmp->fd = -1;
    qmp->input = NULL;
}

/* ---- messages ---- */

static int parse(const struct qmp *qmp, size_t length, json_t **message, vqemu_error **error) {
    _cleanup_error_ vqemu_error *why = NULL;
    int r = json_parse_object(qmp->input, length, qmp->name, message, &why);
    if (r == 0)
        return 0;
    size_t size;
    _cleanup_free_ char *text = wide_numbers_to_reals(qmp->input, length, &size);
    return text ? json_parse_object(text, size, qmp->name, message, error) : error_copy(why, error);
}

static int parse_line(struct qmp *qmp, const char *end, json_t **message, vqemu_error **error) {
    size_t length = (size_t)(end - qmp->input);
    int r = parse(qmp, length, message, error);
    if (r == VQEMU_ERR_MALFORMED)
        error_prefix(r, error, "%s",
                     qmp->last_id ? "what QEMU says makes no sense: "
                                  : "what listens is no QEMU: ");
    qmp->length -= length + 1;
    memmove(qmp->input, end + 1, qmp->length);
    return r;
}

static int flooded(const struct qmp *qmp, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_MALFORMED, 0,
                      "what comes from %s is more than a QEMU says: over %zu messages or %zu bytes",
                      qmp->name, MESSAGES_MAX, BYTES_MAX);
    return error_because(r, error, "flood", VQEMU_DETAIL_PATH, qmp->name, NULL);
}

/* Read some more. */
static int fill(struct qmp *qmp, struct qmp_limit *limit, vqemu_error **error) {
    if (qmp->length > LINE_LENGTH_MAX)
        return error_because(error_set(error, VQEMU_ERR_MALFORMED, 0,
                                       "a message from %s is longer than %zu bytes", qmp->name,
                                       LINE_LENGTH_MAX),
                             error, "flood", VQEMU_DETAIL_PATH, qmp->name, NULL);
    if (limit->bytes > BYTES_MAX)
        return flooded(qmp, error);
    int r = wait_for(qmp, POLLIN, limit, error);
    if (r != QMP_DONE)
        return r;
    char *input = realloc(qmp->input, qmp->length + READ_SIZE);
    if (!input)
        return error_no_memory(error);
    qmp->input = input;
    ssize_t n = recv(qmp->fd, input + qmp->length, READ_SIZE, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && is_end(errno)))
        return QMP_ENDED;
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return error_system_at(error, errno, "cannot read from QEMU at", "%s", qmp->name);
    qmp->length += n > 0 ? (size_t)n : 0;
    limit->bytes += n > 0 ? (size_t)n : 0;
    return QMP_DONE;
}

/* One message: each stands on a line of its own. A line that comes in drips ends with the deadline.
 */
static int read_message(struct qmp *qmp, struct qmp_limit *limit, json_t **message,
                        vqemu_error **error) {
    *message = NULL;
    for (size_t searched = 0;;) {
        size_t left = qmp->length - searched;
        const char *end = left > 0 ? memchr(qmp->input + searched, '\n', left) : NULL;
        if (end)
            return ++limit->messages > MESSAGES_MAX ? flooded(qmp, error)
                                                    : parse_line(qmp, end, message, error);
        if (searched > 0 && qmp->length > 0 && call_now() >= limit->deadline)
            return QMP_LATE;
        searched = qmp->length;
        int r = fill(qmp, limit, error);
        if (r != QMP_DONE)
            return r;
    }
}

/* What on_event says to an event; 0 if the message is none. */
static int report_event(const struct qmp *qmp, json_t *message, vqemu_error **error) {
    if (!json_is_string(json_object_get(message, "event")))
        return 0;
    return qmp->on_event(message, qmp->userdata, error);
}

/* What a peer says is as long as it likes; a message is not. */
#define SAID_MAX 1000

static int denied(const struct qmp *qmp, const char *command, const json_t *refusal,
                  vqemu_error **error) {
    const char *text = json_string_value(json_object_get(refusal, "desc"));
    const char *kind = json_string_value(json_object_get(refusal, "class"));
    _cleanup_free_ char *class = kind ? strndup(kind, SAID_MAX) : NULL;
    if (kind && !class)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_DENIED, 0, "QEMU at %s refuses %s: %.*s%s", qmp->name,
                      command, SAID_MAX, text ? text : "it does not say why",
                      text && strlen(text) > SAID_MAX ? "..." : "");
    return error_because(r, error, "qmp-error", VQEMU_DETAIL_CLASS, class, VQEMU_DETAIL_PATH,
                         qmp->name, NULL);
}

/* Whether a message is about the command that is under way, not one that was given up. */
static bool is_answer(const struct qmp *qmp, const json_t *message) {
    const json_t *id = json_object_get(message, "id");
    return !id || json_integer_value(id) == qmp->last_id;
}

/* The answer to the one command that is under way. Events may come before it. */
static int read_answer(struct qmp *qmp, const char *command, struct qmp_limit *limit,
                       json_t **result, vqemu_error **error) {
    for (;;) {
        _cleanup_json_ json_t *message = NULL;
        int r = read_message(qmp, limit, &message, error);
        if (r != QMP_DONE)
            return r;
        r = report_event(qmp, message, error);
        if (r < 0)
            return r;
        json_t *returned = json_object_get(message, "return");
        const json_t *refusal = json_object_get(message, "error");
        if (refusal && is_answer(qmp, message))
            return denied(qmp, command, refusal, error);
        if (returned && is_answer(qmp, message)) {
            if (result)
                *result = json_incref(returned);
            return QMP_DONE;
        }
        if (call_now() >= limit->deadline)
            return QMP_LATE;
    }
}

static int make_command(struct qmp *qmp, const char *command, json_t *arguments, char **text,
                        vqemu_error **error) {
    _cleanup_json_ json_t *message = json_object();
    int r = message ? json_object_set_new(message, "execute", json_string(command)) : -1;
    if (r == 0 && arguments)
        r = json_object_set(message, "arguments", arguments);
    if (r == 0)
        r = json_object_set_new(message, "id", json_integer(++qmp->last_id));
    _cleanup_free_ char *line = NULL;
    r = r < 0 ? error_no_memory(error) : json_to_line(message, &line, error);
    if (r < 0)
        return r;
    *text = format_string("%s\r\n", line);
    return *text ? 0 : error_no_memory(error);
}

int qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, struct qmp_limit *limit,
                json_t **result, vqemu_error **error) {
    _cleanup_free_ char *text = NULL;
    if (result)
        *result = NULL;
    int r = make_command(qmp, command, arguments, &text, error);
    if (r == 0)
        r = send_all(qmp, text, limit, error);
    return r == QMP_DONE ? read_answer(qmp, command, limit, result, error) : r;
}

int qmp_wait(struct qmp *qmp, struct qmp_limit *limit, vqemu_error **error) {
    for (;;) {
        _cleanup_json_ json_t *message = NULL;
        int r = read_message(qmp, limit, &message, error);
        if (r != QMP_DONE)
            return r;
        r = report_event(qmp, message, error);
        if (r != 0)
            return r < 0 ? r : QMP_DONE;
        if (call_now() >= limit->deadline)
            return QMP_LATE;
    }
}

int qmp_start(struct qmp *qmp, struct qmp_limit *limit, vqemu_error **error) {
    _cleanup_json_ json_t *greeting = NULL;
    qmp->peer = peer_of(qmp->fd);
    int r = read_message(qmp, limit, &greeting, error);
    if (r != QMP_DONE)
        return r;
    if (!json_object_get(greeting, "QMP"))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "what listens at %s is no QEMU", qmp->name);
    return qmp_execute(qmp, "qmp_capabilities", NULL, limit, NULL, error);
}
