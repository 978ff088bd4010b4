/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "base/error.h"
#include "store/store.h"
#include "util/fd.h"

/*
 * Two locks, each a descriptor of its own: threads that share one would share, and drop, one lock.
 * flock(2) alone lets a stream of shared holders keep an exclusive one waiting for ever, so
 * everybody passes the gate first, and who wants the store for himself shuts it: for a while only,
 * since among the holders there may be one that takes for ever, and others must not wait for that.
 */
#define GATE_SHUT 1000 /* milliseconds */
#define GATE_OPEN 100

static int open_and_lock(const vqemu_store *store, int directory_fd, int operation,
                         int milliseconds, struct vqemu_progress *progress, int *fd,
                         vqemu_error **error) {
    _cleanup_close_ int opened = open_at(directory_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (opened < 0)
        return error_system_at(error, -opened, "cannot open the store at", "%s",
                               store->objects_path);
    int r = progress_lock(progress, opened, operation, milliseconds, store->objects_path, error);
    if (r == 0)
        *fd = take_fd(&opened);
    return r;
}

int store_lock_shared(const vqemu_store *store, struct vqemu_progress *progress, int *lock,
                      vqemu_error **error) {
    _cleanup_close_ int gate = -1;
    int r = open_and_lock(store, store->refs_fd, LOCK_SH, 0, progress, &gate, error);
    return r == 0 ? open_and_lock(store, store->objects_fd, LOCK_SH, 0, progress, lock, error) : r;
}

int store_lock_exclusive(const vqemu_store *store, struct vqemu_progress *progress,
                         struct store_exclusive *lock, vqemu_error **error) {
    const struct timespec pause = {.tv_nsec = GATE_OPEN * 1000000L};
    const uint64_t limit = call_lock_timeout(progress->call);
    const int shut = limit < GATE_SHUT ? (int)limit : GATE_SHUT;
    *lock = (struct store_exclusive){-1, -1};
    for (int64_t start = call_now();;) {
        int r = open_and_lock(store, store->refs_fd, LOCK_EX, 0, progress, &lock->gate_fd, error);
        if (r == 0)
            r = open_and_lock(store, store->objects_fd, LOCK_EX, shut, progress, &lock->lock_fd,
                              error);
        if (r == 0)
            return 0;
        store_unlock_exclusive(lock);
        if (r < 0)
            return r;
        if ((uint64_t)(call_now() - start) >= limit)
            return progress_busy(store->objects_fd, store->objects_path, limit, error);
        nanosleep(&pause, NULL);
    }
}

void store_unlock_exclusive(struct store_exclusive *lock) {
    cleanup_close(&lock->lock_fd);
    cleanup_close(&lock->gate_fd);
    *lock = (struct store_exclusive){-1, -1};
}
