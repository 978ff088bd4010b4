/* SPDX-License-Identifier: MIT */
/*
 * A client of QEMU's machine protocol over a Unix socket. Whatever listens there may say anything,
 * at any time, or nothing: input is bounded, and no call outlasts its deadline.
 */
#ifndef LIB_QMP_H
#define LIB_QMP_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/error.h>

#include "base/json.h"

/* What a call can come to, besides a negative error code. */
enum qmp_outcome {
    QMP_DONE = 0,
    QMP_ENDED, /* the other side has closed the socket */
    QMP_LATE   /* the deadline is over */
};

/* Called for each event that comes in; anything but 0 ends qmp_wait(). */
typedef int (*qmp_event_fn)(const char *event, void *userdata);

struct qmp {
    const char *path; /* borrowed */
    int fd;
    char *input; /* what has come in, and is no whole line yet */
    size_t length;
    qmp_event_fn on_event; /* may be NULL */
    void *userdata;
};

/* Milliseconds of a clock that only goes forward. Deadlines are points of it. */
int64_t qmp_now(void);

/*
 * Connect, and make QEMU ready for commands. *qmp is overwritten but for path, on_event and
 * userdata, and must be closed in any case. Errors: VQEMU_ERR_INVALID (the path is too long),
 * VQEMU_ERR_NOT_FOUND (nobody listens), VQEMU_ERR_MALFORMED (what listens does not speak the
 * protocol).
 */
int qmp_connect(struct qmp *qmp, int64_t deadline, vqemu_error **error);

/* Execute a command without arguments and wait for what it returns; result may be NULL. */
int qmp_execute(struct qmp *qmp, const char *command, int64_t deadline, json_t **result,
                vqemu_error **error);

/* Read until the deadline, the end, or until on_event wants no more (QMP_DONE). */
int qmp_wait(struct qmp *qmp, int64_t deadline, vqemu_error **error);

void qmp_close(struct qmp *qmp);

#define _cleanup_qmp_ __attribute__((cleanup(qmp_close)))

#endif
