/* SPDX-License-Identifier: MIT */
#ifndef LIB_MONITOR_H
#define LIB_MONITOR_H

#include <stdbool.h>
#include <sys/types.h>

#include <volt-qemu/monitor.h>

#include "qemu/qmp.h"
#include "util/cleanup.h"

/* Events that nobody has asked for yet, the oldest first. */
struct event_queue {
    char **texts; /* of events, each on a line */
    size_t count, bytes;
    uint64_t lost; /* of the oldest, since the last that was handed out */
};

struct vqemu_monitor {
    pid_t owner; /* the process that opened it */
    char *name;
    struct qmp qmp;
    struct event_queue events;
    int64_t hung_up_at; /* when the connection was first seen to be closed; 0: it was not */
    bool guest_is_off;  /* it has switched itself off, since vqemu_monitor_shut_down() began */
    bool is_ending;     /* QEMU has said why it ends, since then */
};

/* The time that a function has by its call. */
struct qmp_limit monitor_limit(const vqemu_call *call);

/*
 * The connection is closed: the error says whether QEMU has ended, or goes on. That shows in a
 * second; if limit is over before, it is VQEMU_ERR_TIMEOUT for this reason.
 */
int monitor_hung_up(vqemu_monitor *monitor, const struct qmp_limit *limit, const char *late_reason,
                    vqemu_error **error);

/* The error for a process that goes on without its connection. */
int monitor_goes_on(const vqemu_monitor *monitor, vqemu_error **error);

DEFINE_CLEANUP(vqemu_monitor, monitor, vqemu_monitor_free);
#define _cleanup_monitor_ _cleanup_(cleanup_monitor)

#define REQUIRE_OWN(monitor, error)                                                                \
    do {                                                                                           \
        if ((monitor)->owner != getpid())                                                          \
            return error_forked(error, __func__);                                                  \
    } while (0)

#endif
