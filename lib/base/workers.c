/* SPDX-License-Identifier: MIT */
#include "base/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/error.h"

struct crew {
    const struct work *work;
    atomic_size_t next; /* the first item that nobody has taken */
    atomic_bool stop;
    pthread_mutex_t lock; /* for what follows */
    int result;
    vqemu_error *error;
};

struct worker {
    struct crew *crew;
    unsigned number;
    pthread_t thread;
};

static void report_failure(struct crew *crew, int result, vqemu_error *error) {
    atomic_store(&crew->stop, true);
    pthread_mutex_lock(&crew->lock);
    if (crew->result == 0) {
        crew->result = result;
        crew->error = error;
        error = NULL;
    }
    pthread_mutex_unlock(&crew->lock);
    vqemu_error_free(error);
}

static int do_chunk(const struct worker *worker, size_t first, size_t end, vqemu_error **error) {
    const struct crew *crew = worker->crew;
    for (size_t i = first; i < end && !atomic_load(&crew->stop); i++) {
        int r = crew->work->function(crew->work->context, worker->number, i, error);
        if (r < 0)
            return r;
    }
    return 0;
}

static void *run_worker(void *argument) {
    const struct worker *worker = argument;
    struct crew *crew = worker->crew;
    size_t chunk = crew->work->chunk ? crew->work->chunk : 1, count = crew->work->count;
    while (!atomic_load(&crew->stop)) {
        size_t first = atomic_fetch_add(&crew->next, chunk);
        if (first >= count)
            break;
        size_t end = count - first > chunk ? first + chunk : count;
        vqemu_error *error = NULL;
        int r = do_chunk(worker, first, end, &error);
        if (r < 0)
            report_failure(crew, r, error);
    }
    return NULL;
}

/* Start up to count further threads. They must not take signals that are for the caller's. */
static unsigned start_threads(struct crew *crew, struct worker *workers, unsigned count) {
    pthread_attr_t attributes;
    sigset_t all;
    unsigned started = 0;
    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0)
        return 0;
    if (pthread_attr_setsigmask_np(&attributes, &all) != 0)
        count = 0;
    while (started < count) {
        struct worker *worker = &workers[started + 1];
        *worker = (struct worker){.crew = crew, .number = started + 1};
        if (pthread_create(&worker->thread, &attributes, run_worker, worker) != 0)
            break;
        started++;
    }
    pthread_attr_destroy(&attributes);
    return started;
}

/* The caller goes on being told, and can cancel, while others finish. */
static void join(struct crew *crew, pthread_t thread) {
    const long interval = 100000000; /* nanoseconds */
    for (;;) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += interval;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT)
            return;
        vqemu_error *error = NULL;
        int r = atomic_load(&crew->stop) ? 0 : progress_report(crew->work->progress, &error);
        if (r < 0)
            report_failure(crew, r, error);
    }
}

int workers_run(const struct work *work, unsigned threads, vqemu_error **error) {
    struct worker workers[WORKERS_MAX];
    struct crew crew = {.work = work, .lock = PTHREAD_MUTEX_INITIALIZER};
    /* Other threads may take all items before the caller's gets one. */
    int r = progress_report(work->progress, error);
    if (r < 0)
        return r;
    size_t chunk = work->chunk ? work->chunk : 1, chunks = (work->count + chunk - 1) / chunk;
    if (threads > WORKERS_MAX)
        threads = WORKERS_MAX;
    if (threads > chunks)
        threads = (unsigned)chunks;
    workers[0] = (struct worker){.crew = &crew};
    unsigned started = threads > 1 ? start_threads(&crew, workers, threads - 1) : 0;
    run_worker(&workers[0]);
    for (unsigned i = 1; i <= started; i++)
        join(&crew, workers[i].thread);
    if (crew.result == 0) /* the last item may have been another thread's */
        return progress_report(work->progress, error);
    if (error)
        *error = crew.error;
    else
        vqemu_error_free(crew.error);
    return crew.result;
}
