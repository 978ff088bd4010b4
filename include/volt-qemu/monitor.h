/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_MONITOR_H
#define VOLT_QEMU_MONITOR_H

#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A connection to a running QEMU: its machine protocol (QMP, docs/interop/qmp-spec in QEMU's
 * sources). One owner, one thread at a time; in a child made by fork(2) it can only be freed, all
 * else is VQEMU_ERR_USAGE.
 *
 * What the other side says is not trusted: a message can have 1 MiB, what comes in while one
 * command is under way 64 MiB and 100000 messages, and whether the time is over or the call
 * cancelled is looked at after each. SIGPIPE is never raised.
 *
 * The time for each function is that of its call (VQEMU_CALL_DEADLINE_MS); without a call, or
 * without a time, 30 seconds. Since 1.0.
 */
typedef struct vqemu_monitor vqemu_monitor;

/** Flags of vqemu_monitor_open(). Since 1.0. */
enum vqemu_monitor_open_flag {
    /**
     * Where nobody listens, wait until somebody does, as long as the time of the call lets: for a
     * QEMU that is being started. One that was seen to begin, by its PID file, and has ended is not
     * waited for any longer: VQEMU_ERR_NOT_RUNNING. One that ends before that is known to whoever
     * has started it, who then cancels the call.
     */
    VQEMU_MONITOR_WAIT = 1
};

/**
 * Connect to the QMP socket of a VM and make QEMU ready for commands. path: such as
 * vqemu_command_socket(command, "qmp"), of at most 107 bytes. QEMU serves one client at a time on
 * each of its sockets, and others wait: so one that nobody else holds. Where nobody listens, but
 * the PID file beside the socket is locked, QEMU begins or ends, and is waited for, five seconds at
 * most. flags: an OR of enum vqemu_monitor_open_flag. On success the caller frees *monitor with
 * vqemu_monitor_free().
 *
 * Errors: VQEMU_ERR_NOT_RUNNING (reason "not-running": nobody listens; "ended": whoever did has
 * ended meanwhile), VQEMU_ERR_TIMEOUT (reason "deadline": the time of the call is over;
 * "no-answer": the 30 seconds), VQEMU_ERR_CANCELLED, VQEMU_ERR_MALFORMED (no QEMU listens),
 * VQEMU_ERR_INVALID (the path is empty or too long; reason "not-a-socket": something else is
 * there), VQEMU_ERR_DENIED (QEMU refuses to be controlled), VQEMU_ERR_SYSTEM (reason "no-socket": a
 * QEMU runs, but nobody listens there), VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_monitor_open(const char *path, uint32_t flags, vqemu_call *call, vqemu_monitor **monitor,
                       vqemu_error **error);

/**
 * The same over a stream socket that is connected already, such as one end of socketpair(2). The
 * descriptor is duplicated; the caller's stays open, but only the monitor may read from it. name
 * stands for it in messages; NULL: "descriptor 7". Errors: those of vqemu_monitor_open(),
 * and VQEMU_ERR_INVALID (no stream socket). Since 1.0.
 */
int vqemu_monitor_open_fd(int fd, const char *name, uint32_t flags, vqemu_call *call,
                          vqemu_monitor **monitor, vqemu_error **error);

/** Close the connection. The VM goes on. NULL is allowed. Since 1.0. */
void vqemu_monitor_free(vqemu_monitor *monitor);

/**
 * Execute a command, such as "query-status", and wait for what it returns. arguments_json: the text
 * of a JSON object; NULL for none. *result_json, which may be NULL, gets the text of what the
 * command returns, on one line; the caller frees it with vqemu_free(). Events that come in
 * meanwhile are kept for vqemu_monitor_next_event(). After an answer that came too late, the next
 * command can be executed all the same: the late answer is told apart and passed over. flags: 0.
 *
 * Errors: VQEMU_ERR_DENIED (QEMU refuses: reason "qmp-error", the detail "class" is QEMU's word for
 * it, the message has its sentence), VQEMU_ERR_NOT_RUNNING (reason "ended": QEMU has ended),
 * VQEMU_ERR_SYSTEM (reason "hung-up": the connection was closed, but QEMU goes on),
 * VQEMU_ERR_TIMEOUT (reason "deadline": the time of the call is over; "no-answer": the 30 seconds),
 * VQEMU_ERR_CANCELLED, VQEMU_ERR_MALFORMED (the arguments are no JSON object; or reason "flood", or
 * what comes in is no QMP), VQEMU_ERR_INVALID (no name of a command), VQEMU_ERR_USAGE,
 * VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_monitor_execute(vqemu_monitor *monitor, const char *command, const char *arguments_json,
                          uint32_t flags, vqemu_call *call, char **result_json,
                          vqemu_error **error);

/** Flags of vqemu_monitor_next_event(). Since 1.0. */
enum vqemu_event_flag {
    /** Do not wait: only an event that has come in already. */
    VQEMU_EVENT_NOWAIT = 2
};

/**
 * The next event, as the text of QEMU's JSON object on one line, which the caller frees with
 * vqemu_free(). Up to 1000 events of 4 MiB in all are kept while nobody asks; then the oldest are
 * dropped, and the next event that is handed out has a member "lost" with their number.
 *
 * flags: an OR of enum vqemu_event_flag. A loop that waits for vqemu_monitor_fd() takes events
 * with VQEMU_EVENT_NOWAIT until that is VQEMU_ERR_TIMEOUT. It is that, too, while a QEMU that has
 * closed the connection has not ended yet, for a second at most; the descriptor is readable then,
 * so such a loop does well to look again after some milliseconds.
 *
 * Errors: VQEMU_ERR_TIMEOUT (reason "no-event": none has come in, or none in 30 seconds;
 * "deadline": none in the time of the call), and as of vqemu_monitor_execute().
 * Since 1.0.
 */
int vqemu_monitor_next_event(vqemu_monitor *monitor, uint32_t flags, vqemu_call *call,
                             char **event_json, vqemu_error **error);

/** The descriptor of the connection, for an event loop: readable when something has come in, or
 * QEMU has ended. Borrowed; -1 for NULL. Since 1.0. */
int vqemu_monitor_fd(const vqemu_monitor *monitor);

/**
 * The process that listens on the socket, as Linux knows it (SO_PEERCRED, unix(7)): QEMU, unless
 * the socket was made by another process and passed on to it. 0 if it is not known: it is of
 * another PID namespace, the calling process or process 1, or has ended. Since 1.0.
 */
int64_t vqemu_monitor_pid(const vqemu_monitor *monitor);

/** How long QEMU has for writing out its disks and ending, once it was told to: milliseconds. Since
 * 1.0. */
#define VQEMU_MONITOR_QUIT_MS 30000

/** How a VM has ended. Since 1.0. */
enum vqemu_shutdown_end {
    /** The guest has switched itself off. */
    VQEMU_SHUTDOWN_POWERED_OFF = 1,
    /** The guest did not, in its time, and was ended as by a loss of power: it may have lost data.
     * Also where it had no time at all. */
    VQEMU_SHUTDOWN_FORCED = 2,
    /** QEMU ended without being told to by this call. */
    VQEMU_SHUTDOWN_GONE = 3,
    /** The guest did not run (paused, never started, crashed), so that it could not hear, and was
     * ended at once. */
    VQEMU_SHUTDOWN_IDLE = 4
};

/**
 * Shut a VM down: press its power button, wait for the guest to switch itself off, and for QEMU to
 * end. The button is pressed again every ten seconds, for guests that were still booting; a guest
 * that sleeps is woken up first. A guest that has not switched itself off in timeout_ms
 * milliseconds is ended; with 0, at once. QEMU writes out its disks in any case. *end gets one of
 * enum vqemu_shutdown_end. timeout_ms: INT32_MAX at most, so that a time below 0 is none. flags: 0.
 *
 * Success means that QEMU's process is gone (a pidfd of vqemu_monitor_pid(), pidfd_open(2); where
 * Linux has none, /proc is looked at). Where the process is not known, it means that the connection
 * was closed, which is the last that QEMU does but its exit. A peer that merely closes the
 * connection has not ended.
 *
 * Never takes longer than timeout_ms + VQEMU_MONITOR_QUIT_MS, whatever the other side does, nor
 * than the time of the call, if it has one. No signal is sent to anybody. When the time of the call
 * is over, or it is cancelled, the guest may still switch itself off.
 *
 * Errors: VQEMU_ERR_TIMEOUT (reason "no-answer": QEMU does not answer; "not-ended": it was told to
 * quit, and is still there; "deadline"), VQEMU_ERR_INVALID (reason "out-of-range": timeout_ms), and
 * as of vqemu_monitor_execute(). Since 1.0.
 */
int vqemu_monitor_shut_down(vqemu_monitor *monitor, uint32_t timeout_ms, uint32_t flags,
                            vqemu_call *call, int32_t *end, vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
