/* SPDX-License-Identifier: MIT */
/*
 * A client of QEMU's machine protocol over a Unix socket. Whatever is on the other side may say
 * anything, at any time, or nothing: input is bounded, and no call outlasts its limit.
 */
#ifndef LIB_QMP_H
#define LIB_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>

#include "base/json.h"
#include "qemu/peer.h"

/* What a call can come to, besides a negative error code. */
enum qmp_outcome {
    QMP_DONE = 0,
    QMP_ENDED, /* the other side has closed the connection, or ended */
    QMP_LATE   /* the deadline is over */
};

/* How long one call may take, and how much it may read. */
struct qmp_limit {
    const vqemu_call *call; /* may be cancelled; may be NULL */
    int64_t deadline;       /* of call_now() */
    size_t messages, bytes; /* that have come in */
};

/* Called for each event that comes in. 1 ends qmp_wait(); a negative number is an error, which is
 * set. */
typedef int (*qmp_event_fn)(json_t *event, void *userdata, vqemu_error **error);

struct qmp {
    const char *name; /* of the socket in messages; borrowed */
    int fd;           /* a connected stream socket */
    struct peer peer;
    char *input; /* what has come in, and is no whole line yet */
    size_t length;
    json_int_t last_id; /* of a command; 0 until it has greeted */
    qmp_event_fn on_event;
    void *userdata;
};

/* A socket that is connected to a path: a descriptor, VQEMU_ERR_NOT_RUNNING if nobody listens,
 * unless it is waited for until somebody does. */
int qmp_connect(const char *path, bool is_waited_for, const struct qmp_limit *limit, int *fd,
                vqemu_error **error);

/*
 * Take a greeting, and make QEMU ready for commands. fd, name and on_event of *qmp are set, the
 * rest is zero; it must be closed in any case. VQEMU_ERR_MALFORMED if the other side does not speak
 * the protocol.
 */
int qmp_start(struct qmp *qmp, struct qmp_limit *limit, vqemu_error **error);

/* Execute a command and wait for what it returns. arguments and result may be NULL. */
int qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, struct qmp_limit *limit,
                json_t **result, vqemu_error **error);

/*
 * Read until the deadline, the end, or until on_event wants no more (QMP_DONE). What has come in
 * already is taken even if the deadline is over.
 */
int qmp_wait(struct qmp *qmp, struct qmp_limit *limit, vqemu_error **error);

/* The deadline is over, the caller's (reason "deadline") or the library's own ("no-answer"): the
 * error for whoever waited for an answer. */
int qmp_no_answer(const struct qmp *qmp, const struct qmp_limit *limit, vqemu_error **error);

void qmp_close(struct qmp *qmp);

#endif
