/* SPDX-License-Identifier: MIT */
/* The orderly end of a VM. */
#include <volt-qemu/shutdown.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "run/qmp.h"
#include "util/export.h"

/* All in milliseconds. The header promises the sum of the first two. */
#define ANSWER_TIME 10000 /* for QEMU to greet, and to tell how its guest is */
#define END_TIME 30000    /* for QEMU to write out its disks, and end */
#define PRESS_INTERVAL 10000

struct shutdown {
    struct qmp qmp;
    bool is_off; /* the guest has switched itself off */
};

static int take_event(const char *event, void *userdata) {
    struct shutdown *shutdown = userdata;
    shutdown->is_off = shutdown->is_off || strcmp(event, "SHUTDOWN") == 0;
    return shutdown->is_off;
}

static int no_answer(const struct shutdown *shutdown, vqemu_error **error) {
    return error_set(error, VQEMU_ERR_SYSTEM, ETIMEDOUT,
                     "QEMU does not answer at %s; does another client hold the socket?",
                     shutdown->qmp.path);
}

/* ---- the guest ---- */

/* Whether a guest can hear of its power button; *outcome tells if QEMU did not answer to that. */
static bool guest_listens(struct shutdown *shutdown, int64_t deadline, int *outcome,
                          vqemu_error **error) {
    _cleanup_json_ json_t *answer = NULL;
    *outcome = qmp_execute(&shutdown->qmp, "query-status", deadline, &answer, error);
    const char *status = json_string_value(json_object_get(answer, "status"));
    if (*outcome == QMP_DONE && status && strcmp(status, "suspended") == 0)
        *outcome = qmp_execute(&shutdown->qmp, "system_wakeup", deadline, NULL, error);
    return status && (strcmp(status, "running") == 0 || strcmp(status, "suspended") == 0);
}

/* Press the button until the guest is off (QMP_DONE) or QEMU has ended. */
static int press_button(struct shutdown *shutdown, int64_t deadline, vqemu_error **error) {
    for (;;) {
        int64_t next = qmp_now() + PRESS_INTERVAL;
        if (next > deadline)
            next = deadline;
        int r = qmp_execute(&shutdown->qmp, "system_powerdown", next, NULL, error);
        if (r == QMP_DONE && !shutdown->is_off)
            r = qmp_wait(&shutdown->qmp, next, error);
        if (r != QMP_LATE || qmp_now() >= deadline)
            return r;
    }
}

/* ---- QEMU ---- */

/* Also where the guest is off already: with -no-shutdown, QEMU would stay. */
static int quit(struct shutdown *shutdown, vqemu_error **error) {
    int64_t deadline = qmp_now() + END_TIME;
    int r = qmp_execute(&shutdown->qmp, "quit", deadline, NULL, error);
    shutdown->qmp.on_event = NULL;
    if (r == QMP_DONE)
        r = qmp_wait(&shutdown->qmp, deadline, error);
    if (r == QMP_LATE)
        return error_set(error, VQEMU_ERR_SYSTEM, ETIMEDOUT,
                         "QEMU at %s was told to quit, but has not ended in %d s",
                         shutdown->qmp.path, END_TIME / 1000);
    return r < 0 ? r : 0;
}

static int end_guest(struct shutdown *shutdown, uint32_t timeout_seconds, vqemu_error **error) {
    int r = press_button(shutdown, qmp_now() + (int64_t)timeout_seconds * 1000, error);
    if (r < 0 || r == QMP_ENDED)
        return r < 0 ? r : 0;
    bool obeyed = r == QMP_DONE;
    r = quit(shutdown, error);
    if (r < 0 || obeyed)
        return r;
    return error_set(error, VQEMU_ERR_TIMEOUT, 0,
                     "the guest did not switch itself off in %u s, and was ended as by a loss of "
                     "power",
                     (unsigned)timeout_seconds);
}

VQEMU_EXPORT int vqemu_shutdown(const char *qmp_socket, uint32_t timeout_seconds,
                                vqemu_error **error) {
    struct shutdown shutdown = {.qmp = {.path = qmp_socket, .fd = -1, .on_event = take_event}};
    shutdown.qmp.userdata = &shutdown;
    if (!qmp_socket)
        return error_set(error, VQEMU_ERR_INVALID, 0, "the path of the QMP socket is NULL");
    int64_t deadline = qmp_now() + ANSWER_TIME;
    bool listens = false;
    int r = qmp_connect(&shutdown.qmp, deadline, error);
    if (r == QMP_DONE && timeout_seconds > 0)
        listens = guest_listens(&shutdown, deadline, &r, error);
    if (r == QMP_LATE)
        r = no_answer(&shutdown, error);
    else if (r == QMP_DONE)
        r = listens ? end_guest(&shutdown, timeout_seconds, error) : quit(&shutdown, error);
    qmp_close(&shutdown.qmp);
    return r < 0 ? r : 0;
}
