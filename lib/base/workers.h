/* SPDX-License-Identifier: MIT */
/* Work that is the same for many items, done by as many threads as the caller allows. */
#ifndef LIB_WORKERS_H
#define LIB_WORKERS_H

#include <stddef.h>

#include "base/progress.h"
#include "base/workers-max.h"

/*
 * Do one item. worker tells apart what runs at the same time: 0 up to the number of threads, for
 * state of one's own. A failure ends all the work.
 */
typedef int (*work_fn)(void *context, unsigned worker, size_t index, vqemu_error **error);

struct work {
    work_fn function;
    void *context;
    size_t count;
    /* How many neighbouring items a thread takes at once; 0 for one. */
    size_t chunk;
    struct vqemu_progress *progress; /* the caller is told while it waits for other threads */
};

/*
 * Do all items, the calling thread among the workers. The others have all signals blocked and have
 * ended when this returns. If fewer threads can be started, fewer do the work. Items are begun in
 * order; of several failures one is reported.
 */
int workers_run(const struct work *work, unsigned threads, vqemu_error **error);

#endif
