/* SPDX-License-Identifier: MIT */
#include "run/qmp.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/error.h"
#include "base/json.h"
#include "util/strbuf.h"

#define LINE_LENGTH_MAX ((size_t)1024 * 1024)
#define READ_SIZE ((size_t)16384)
#define RETRY_INTERVAL 50 /* ms */

int64_t qmp_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the socket ---- */

static int time_left(int64_t deadline) {
    int64_t left = deadline - qmp_now();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int wait_for(struct qmp *qmp, short events, int64_t deadline, vqemu_error **error) {
    struct pollfd poller = {.fd = qmp->fd, .events = events};
    int n;
    do
        n = poll(&poller, 1, time_left(deadline));
    while ((n < 0 && errno == EINTR) || (n == 0 && qmp_now() < deadline));
    if (n < 0)
        return error_system(error, errno, "cannot wait for QEMU at %s", qmp->path);
    return n == 0 ? QMP_LATE : QMP_DONE;
}

static bool is_end(int system_errno) {
    return system_errno == EPIPE || system_errno == ECONNRESET;
}

static int send_all(struct qmp *qmp, const char *text, int64_t deadline, vqemu_error **error) {
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t n = send(qmp->fd, text, left, MSG_NOSIGNAL);
        if (n >= 0) {
            text += n;
            left -= (size_t)n;
        } else if (is_end(errno)) {
            return QMP_ENDED;
        } else if (errno == EAGAIN) {
            int r = wait_for(qmp, POLLOUT, deadline, error);
            if (r != QMP_DONE)
                return r;
        } else if (errno != EINTR) {
            return error_system(error, errno, "cannot write to QEMU at %s", qmp->path);
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

static int open_socket(struct qmp *qmp, int64_t deadline, vqemu_error **error) {
    struct sockaddr_un address;
    int r = make_address(qmp->path, &address, error);
    if (r < 0)
        return r;
    qmp->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (qmp->fd < 0)
        return error_system(error, errno, "cannot make a socket");
    while (connect(qmp->fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return error_set(error, VQEMU_ERR_NOT_FOUND, errno,
                             "the VM is not running: no QEMU listens at %s", qmp->path);
        /* EAGAIN: too many others wait to be served. */
        if (errno != EAGAIN && errno != EINTR)
            return error_system(error, errno, "cannot connect to %s", qmp->path);
        if (qmp_now() >= deadline)
            return QMP_LATE;
        poll(NULL, 0, RETRY_INTERVAL);
    }
    return QMP_DONE;
}

void qmp_close(struct qmp *qmp) {
    cleanup_close(&qmp->fd);
    free(qmp->input);
    qmp->fd = -1;
    qmp->input = NULL;
}

/* ---- messages ---- */

static int parse_line(struct qmp *qmp, const char *end, json_t **message, vqemu_error **error) {
    size_t length = (size_t)(end - qmp->input);
    int r = json_parse_object(qmp->input, length, qmp->path, message, error);
    qmp->length -= length + 1;
    memmove(qmp->input, end + 1, qmp->length);
    return r;
}

/* Read some more. */
static int fill(struct qmp *qmp, int64_t deadline, vqemu_error **error) {
    if (qmp->length > LINE_LENGTH_MAX)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "a message from %s is longer than %zu bytes", qmp->path, LINE_LENGTH_MAX);
    int r = wait_for(qmp, POLLIN, deadline, error);
    if (r != QMP_DONE)
        return r;
    char *input = realloc(qmp->input, qmp->length + READ_SIZE);
    if (!input)
        return error_no_memory(error);
    qmp->input = input;
    ssize_t n = recv(qmp->fd, input + qmp->length, READ_SIZE, 0);
    if (n > 0)
        qmp->length += (size_t)n;
    else if (n == 0 || is_end(errno))
        return QMP_ENDED;
    else if (errno != EINTR && errno != EAGAIN)
        return error_system(error, errno, "cannot read from QEMU at %s", qmp->path);
    return QMP_DONE;
}

/* One message: each stands on a line of its own. */
static int read_message(struct qmp *qmp, int64_t deadline, json_t **message, vqemu_error **error) {
    *message = NULL;
    for (size_t searched = 0;;) {
        size_t left = qmp->length - searched;
        const char *end = left > 0 ? memchr(qmp->input + searched, '\n', left) : NULL;
        if (end)
            return parse_line(qmp, end, message, error);
        searched = qmp->length;
        int r = fill(qmp, deadline, error);
        if (r != QMP_DONE)
            return r;
    }
}

/* What on_event says to an event; 0 if the message is none. */
static int report_event(const struct qmp *qmp, const json_t *message) {
    const char *event = json_string_value(json_object_get(message, "event"));
    return event && qmp->on_event ? qmp->on_event(event, qmp->userdata) : 0;
}

/* The answer to the one command that is under way. Events may come before it. */
static int read_answer(struct qmp *qmp, const char *command, int64_t deadline, json_t **result,
                       vqemu_error **error) {
    for (;;) {
        _cleanup_json_ json_t *message = NULL;
        int r = read_message(qmp, deadline, &message, error);
        if (r != QMP_DONE)
            return r;
        report_event(qmp, message);
        json_t *returned = json_object_get(message, "return");
        const json_t *refusal = json_object_get(message, "error");
        if (refusal) {
            const char *text = json_string_value(json_object_get(refusal, "desc"));
            return error_set(error, VQEMU_ERR_UNSUPPORTED, 0, "QEMU at %s refuses %s: %s",
                             qmp->path, command, text ? text : "it does not say why");
        }
        if (returned) {
            if (result)
                *result = json_incref(returned);
            return QMP_DONE;
        }
    }
}

int qmp_execute(struct qmp *qmp, const char *command, int64_t deadline, json_t **result,
                vqemu_error **error) {
    if (result)
        *result = NULL;
    _cleanup_strbuf_ struct strbuf text = {0};
    strbuf_addf(&text, "{\"execute\": \"%s\"}\r\n", command);
    if (text.failed)
        return error_no_memory(error);
    int r = send_all(qmp, text.text, deadline, error);
    return r == QMP_DONE ? read_answer(qmp, command, deadline, result, error) : r;
}

int qmp_wait(struct qmp *qmp, int64_t deadline, vqemu_error **error) {
    for (;;) {
        _cleanup_json_ json_t *message = NULL;
        int r = read_message(qmp, deadline, &message, error);
        if (r != QMP_DONE || report_event(qmp, message))
            return r;
    }
}

int qmp_connect(struct qmp *qmp, int64_t deadline, vqemu_error **error) {
    qmp->fd = -1;
    qmp->input = NULL;
    qmp->length = 0;
    int r = open_socket(qmp, deadline, error);
    if (r != QMP_DONE)
        return r;
    _cleanup_json_ json_t *greeting = NULL;
    r = read_message(qmp, deadline, &greeting, error);
    if (r != QMP_DONE)
        return r;
    if (!json_object_get(greeting, "QMP"))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "what listens at %s is no QEMU", qmp->path);
    return qmp_execute(qmp, "qmp_capabilities", deadline, NULL, error);
}
