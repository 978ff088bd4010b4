/* SPDX-License-Identifier: MIT */
#include "base/progress.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

#include "base/call.h"
#include "base/error.h"
#include "base/lock-holder.h"
#include "util/cleanup.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/word.h"

#define INTERVAL 50 /* milliseconds between two reports */

void progress_start(struct vqemu_progress *progress, const char *step, const char *unit,
                    uint64_t total) {
    progress->step = step;
    progress->unit = unit;
    atomic_store(&progress->item, "");
    atomic_store(&progress->done, 0);
    progress->total = total;
    progress->told_at = 0;
    progress->told_end = false;
    if (*unit) /* waiting is no step of its own */
        progress->phase++;
}

static int check(const struct vqemu_progress *progress, vqemu_error **error) {
    return call_check(progress->call, progress->step ? progress->step : "the start", error);
}

int progress_advance(struct vqemu_progress *progress, unsigned worker, const char *item,
                     uint64_t more, vqemu_error **error) {
    atomic_store_explicit(&progress->item, item, memory_order_release);
    atomic_fetch_add_explicit(&progress->done, more, memory_order_relaxed);
    return worker == 0 ? progress_report(progress, error) : check(progress, error);
}

/* At the beginning and the end of a step, and now and then between. */
static bool is_due(struct vqemu_progress *progress) {
    int64_t now = call_now();
    uint64_t done = atomic_load_explicit(&progress->done, memory_order_relaxed);
    bool at_end = progress->total > 0 && done >= progress->total && !progress->told_end;
    if (!at_end && now - progress->told_at < INTERVAL)
        return false;
    progress->told_at = now;
    progress->told_end = progress->told_end || at_end;
    return true;
}

int progress_report(struct vqemu_progress *progress, vqemu_error **error) {
    int r = check(progress, error);
    if (r < 0 || !progress->call)
        return r;
    if (progress->step && call_has_listener(progress->call) && is_due(progress))
        call_report(progress->call, progress);
    return check(progress, error);
}

int watch_poll(const struct watch *watch) {
    if (!watch)
        return 0;
    struct vqemu_progress *progress = watch->progress;
    int r = watch->worker == 0 ? progress_report(progress, NULL) : check(progress, NULL);
    return r < 0 ? -ECANCELED : 0;
}

int progress_given_up(const struct vqemu_progress *progress, vqemu_error **error) {
    return check(progress, error);
}

/* ---- locks ---- */

int progress_busy(int fd, const char *what, uint64_t waited, vqemu_error **error) {
    _cleanup_free_ char *holder = lock_describe_holder(fd);
    bool whole = waited % 1000 == 0;
    int r = error_set(error, VQEMU_ERR_BUSY, 0, "%s is locked by %s, and was not free in %llu %s",
                      what, holder ? holder : "another process",
                      (unsigned long long)(whole ? waited / 1000 : waited), whole ? "s" : "ms");
    return error_because(r, error, "locked", VQEMU_DETAIL_PATH, what, VQEMU_DETAIL_HOLDER, holder,
                         NULL);
}

/* The caller gave up, or its time was over: who has the lock is what there is to know. */
static int given_up_waiting(int fd, const char *what, int code, vqemu_error **error) {
    _cleanup_free_ char *holder = lock_describe_holder(fd);
    int r = error_prefix(code, error, "waiting for %s, which is locked by %s: ", what,
                         holder ? holder : "another process");
    return error_because(r, error, NULL, VQEMU_DETAIL_PATH, what, VQEMU_DETAIL_HOLDER, holder,
                         NULL);
}

/* It is tried again and again: a blocking flock(2) could not be given up. */
static int wait_for_lock(struct vqemu_progress *progress, int fd, int operation, int milliseconds,
                         const char *what, vqemu_error **error) {
    struct timespec pause = {.tv_nsec = 1000000}; /* many are held for a moment only */
    uint64_t limit = milliseconds > 0 ? (uint64_t)milliseconds : call_lock_timeout(progress->call);
    int64_t start = call_now();
    int r = -EWOULDBLOCK;
    progress_start(progress, "wait", "", 0);
    while (r == -EWOULDBLOCK) {
        int given_up = progress_report(progress, error);
        if (given_up < 0)
            return given_up_waiting(fd, what, given_up, error);
        if ((uint64_t)(call_now() - start) >= limit)
            return milliseconds > 0 ? 1 : progress_busy(fd, what, limit, error);
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 16000000)
            pause.tv_nsec *= 2;
        r = lock_fd(fd, operation | LOCK_NB);
    }
    return r < 0 ? error_system_at(error, -r, "cannot lock", "%s", what) : 0;
}

int progress_lock(struct vqemu_progress *progress, int fd, int operation, int milliseconds,
                  const char *what, vqemu_error **error) {
    int r = lock_fd(fd, operation | LOCK_NB);
    if (r == -EWOULDBLOCK)
        return wait_for_lock(progress, fd, operation, milliseconds, what, error);
    return r < 0 ? error_system_at(error, -r, "cannot lock", "%s", what) : 0;
}

/* ---- for callbacks ---- */

VQEMU_EXPORT const char *vqemu_progress_step(const vqemu_progress *progress) {
    return progress ? progress->step : NULL;
}

VQEMU_EXPORT const char *vqemu_progress_unit(const vqemu_progress *progress) {
    return progress ? null_if_empty(progress->unit) : NULL;
}

VQEMU_EXPORT const char *vqemu_progress_item(const vqemu_progress *progress) {
    return progress ? null_if_empty(atomic_load_explicit(&progress->item, memory_order_acquire))
                    : NULL;
}

VQEMU_EXPORT uint64_t vqemu_progress_done(const vqemu_progress *progress) {
    return progress ? atomic_load_explicit(&progress->done, memory_order_relaxed) : 0;
}

VQEMU_EXPORT uint64_t vqemu_progress_total(const vqemu_progress *progress) {
    return progress ? progress->total : 0;
}

VQEMU_EXPORT uint32_t vqemu_progress_phase(const vqemu_progress *progress) {
    return progress ? progress->phase : 0;
}

VQEMU_EXPORT uint32_t vqemu_progress_phase_count(const vqemu_progress *progress) {
    if (!progress)
        return 0;
    return progress->phase_count > progress->phase ? progress->phase_count : progress->phase;
}
