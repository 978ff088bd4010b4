/* SPDX-License-Identifier: MIT */
#ifndef LIB_PROGRESS_H
#define LIB_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>

#include <volt-qemu/store.h>

/* A caller's progress callback and how far the operation is. */
struct progress {
    vqemu_step_fn function; /* may be NULL */
    void *userdata;
    const char *step;
    _Atomic(const char *) item; /* the path or digest at hand; lives as long as the step */
    atomic_uint_least64_t done; /* added to by all threads */
    uint64_t total;
    atomic_bool cancelled;
};

/* Begin a step. */
void progress_start(struct progress *progress, const char *step, uint64_t total);

/*
 * Note how far it is. worker is 0 for the thread of the caller, who is told then; see workers.h.
 * VQEMU_ERR_CANCELLED if the caller wants to stop.
 */
int progress_advance(struct progress *progress, unsigned worker, const char *item, uint64_t more,
                     vqemu_error **error);

/* Tell the caller, from its own thread, that it goes on. */
int progress_report(struct progress *progress, vqemu_error **error);

/*
 * Lock a descriptor by flock(2), waiting until that can be had, or for a number of milliseconds (0:
 * without end). The caller is told and can give up meanwhile. what stands for it in messages.
 * Returns 0, 1 if the time was up, or an error.
 */
int progress_lock(struct progress *progress, int fd, int operation, int milliseconds,
                  const char *what, vqemu_error **error);

#endif
