/* SPDX-License-Identifier: MIT */
/* How far an operation is, and whether its caller wants it to go on. */
#ifndef LIB_PROGRESS_H
#define LIB_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>

#include <volt-qemu/call.h>

/* One for each operation. Zeroed but for call, it is ready for use. */
struct vqemu_progress {
    vqemu_call *call; /* borrowed; may be NULL */
    const char *step, *unit;
    _Atomic(const char *) item; /* the path or digest at hand; lives as long as the step */
    atomic_uint_least64_t done; /* added to by all threads */
    uint64_t total;
    uint32_t phase, phase_count;
    int64_t told_at; /* of call_now() */
    bool told_end;
};

/* Begin a step; see vqemu_progress_step() and vqemu_progress_unit() for the words. */
void progress_start(struct vqemu_progress *progress, const char *step, const char *unit,
                    uint64_t total);

/*
 * Note how far it is. worker is 0 for the thread of the caller, who is told then; see workers.h.
 * VQEMU_ERR_CANCELLED or VQEMU_ERR_TIMEOUT if it is not to go on.
 */
int progress_advance(struct vqemu_progress *progress, unsigned worker, const char *item,
                     uint64_t more, vqemu_error **error);

/* Tell the caller, from its own thread, that it goes on. */
int progress_report(struct vqemu_progress *progress, vqemu_error **error);

/*
 * For what goes on for long inside one file. watch may be NULL. Returns 0, or -ECANCELED if it is
 * not to go on: then progress_given_up() has the error.
 */
struct watch {
    struct vqemu_progress *progress;
    unsigned worker;
};
int watch_poll(const struct watch *watch);
int progress_given_up(const struct vqemu_progress *progress, vqemu_error **error);

/*
 * Lock a descriptor by flock(2), waiting until that can be had, or for a number of milliseconds.
 * With 0 that is what the caller allows, and then VQEMU_ERR_BUSY, which names the holder. The
 * caller is told and can give up meanwhile. what stands for it in messages. Returns 0, 1 if the
 * time was up, or an error.
 */
int progress_lock(struct vqemu_progress *progress, int fd, int operation, int milliseconds,
                  const char *what, vqemu_error **error);

/* The error for a lock that was waited for so many milliseconds, as progress_lock() makes it. */
int progress_busy(int fd, const char *what, uint64_t waited, vqemu_error **error);

#endif
