/* SPDX-License-Identifier: MIT */
#ifndef LIB_CALL_H
#define LIB_CALL_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>

#include "base/log-record.h"
#include "util/cleanup.h"

/* All of these take NULL for the defaults. */

unsigned call_threads(const vqemu_call *call);
uint64_t call_lock_timeout(const vqemu_call *call); /* milliseconds */
size_t call_max_objects(const vqemu_call *call);
uint64_t call_max_size(const vqemu_call *call);

/* So many layers fit into an OCI manifest of the size that others read. */
#define CALL_LAYERS_MAX 20000
size_t call_max_layers(const vqemu_call *call);

/* The point of call_now() at which the call's time is up; INT64_MAX if it has none. */
int64_t call_deadline(const vqemu_call *call);

/* The reason of an error when a deadline is over: "deadline" if it is the caller's, whatever was
 * waited for, else the other one. */
const char *call_late_reason(const vqemu_call *call, int64_t deadline, const char *other);

/* call_deadline(), but so many milliseconds from now if it has none. */
int64_t call_deadline_or(const vqemu_call *call, int64_t milliseconds);

/* Milliseconds of a clock that only goes forward. */
int64_t call_now(void);

/*
 * VQEMU_ERR_CANCELLED or VQEMU_ERR_TIMEOUT if the caller wants no more. doing says what was being
 * done, for the message.
 */
int call_check(const vqemu_call *call, const char *doing, vqemu_error **error);

/* Tell whoever listens of an event, and of what it is about; see vqemu_log_fn. */
void call_log(vqemu_call *call, int32_t level, const char *event, struct log_subject subject,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Tell of an error that ends nothing, as a warning. */
void call_log_problem(vqemu_call *call, const char *event, const vqemu_error *problem);

/* The caller's callback; 0 if there is none. */
int call_report(vqemu_call *call, const vqemu_progress *progress);

/* Whether anybody wants to hear of progress. */
bool call_has_listener(const vqemu_call *call);

DEFINE_CLEANUP(vqemu_call, call, vqemu_call_unref);
#define _cleanup_call_ _cleanup_(cleanup_call)

#endif
