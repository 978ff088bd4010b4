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
    bool guest_is_off; /* it has switched itself off, since vqemu_monitor_shut_down() began */
    bool is_ending;    /* QEMU has said why it ends, since then */
};

/* The time that a function has by its call. */
struct qmp_limit monitor_limit(const vqemu_call *call);

/* QEMU has ended, or hung up. limit bounds how long it is waited for to see which. */
int monitor_hung_up(const vqemu_monitor *monitor, const struct qmp_limit *limit,
                    vqemu_error **error);

DEFINE_CLEANUP(vqemu_monitor, monitor, vqemu_monitor_free);
#define _cleanup_monitor_ _cleanup_(cleanup_monitor)

#define REQUIRE_OWN(monitor, error)                                                                \
    do {                                                                                           \
        if ((monitor)->owner != getpid())                                                          \
            return error_forked(error, __func__);                                                  \
    } while (0)

#endif
