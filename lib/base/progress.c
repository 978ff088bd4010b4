/* SPDX-License-Identifier: MIT */
#include "base/progress.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

#include "base/error.h"
#include "util/fd.h"

void progress_start(struct progress *progress, const char *step, uint64_t total) {
    progress->step = step;
    atomic_store(&progress->item, "");
    atomic_store(&progress->done, 0);
    progress->total = total;
}

int progress_advance(struct progress *progress, unsigned worker, const char *item, uint64_t more,
                     vqemu_error **error) {
    atomic_store_explicit(&progress->item, item, memory_order_release);
    atomic_fetch_add_explicit(&progress->done, more, memory_order_relaxed);
    if (worker == 0)
        return progress_report(progress, error);
    if (atomic_load_explicit(&progress->cancelled, memory_order_relaxed))
        return error_set(error, VQEMU_ERR_CANCELLED, 0, "cancelled at %s %s", progress->step, item);
    return 0;
}

int progress_report(struct progress *progress, vqemu_error **error) {
    if (!progress->function)
        return 0;
    const char *item = atomic_load_explicit(&progress->item, memory_order_acquire);
    uint64_t done = atomic_load_explicit(&progress->done, memory_order_relaxed);
    if (progress->function(progress->step, item, done, progress->total, progress->userdata) == 0)
        return 0;
    atomic_store(&progress->cancelled, true);
    return error_set(error, VQEMU_ERR_CANCELLED, 0, "cancelled at %s %s", progress->step, item);
}

/* It is tried again and again: a blocking flock(2) could not be given up. */
int progress_lock(struct progress *progress, int fd, int operation, int milliseconds,
                  const char *what, vqemu_error **error) {
    const int interval = 10;
    const struct timespec pause = {.tv_nsec = interval * 1000000L};
    int r = lock_fd(fd, operation | LOCK_NB);
    if (r == -EWOULDBLOCK)
        progress_start(progress, "wait", 0);
    for (int waited = 0; r == -EWOULDBLOCK; waited += interval) {
        if (milliseconds > 0 && waited >= milliseconds)
            return 1;
        int cancelled = progress_report(progress, error);
        if (cancelled < 0)
            return cancelled;
        nanosleep(&pause, NULL);
        r = lock_fd(fd, operation | LOCK_NB);
    }
    return r < 0 ? error_system(error, -r, "cannot lock %s", what) : 0;
}
