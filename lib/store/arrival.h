/* SPDX-License-Identifier: MIT */
/*
 * When revisions came into a store, by the store's own reckoning: what orders those of a profile.
 * Nobody who makes an archive or another store has a say in it.
 */
#ifndef LIB_ARRIVAL_H
#define LIB_ARRIVAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "store/store.h"

struct arrival {
    char *revision;
    struct timespec time;
};

struct arrivals {
    struct arrival *arrivals; /* by revision */
    size_t count, capacity;
};

/* Whether the name of a file there is that of an arrival: of which revision, and when. */
bool arrival_parse(const char *file, char revision[NAME_MAX + 1], struct timespec *time);

/* All of a store; none where nothing was written down. */
int arrivals_read(const vqemu_store *store, struct arrivals *arrivals, vqemu_error **error);

/* When a revision came, the last time; NULL if that is not known. */
const struct timespec *arrivals_of(const struct arrivals *arrivals, const char *revision);

void arrivals_release(struct arrivals *arrivals);

/*
 * Write down, on stable storage, that a revision comes now: after all that came before, even if the
 * clock was set back. newest, of that time, is the revision that was the newest; both NULL for
 * none. VQEMU_ERR_INVALID, with the reason "no-later-time", if there is no time after it.
 */
int arrival_note(const vqemu_store *store, const char *revision, const char *newest,
                 const struct timespec *time, vqemu_error **error);

/*
 * Forget of those whose revisions are gone, for certain also after a power cut. Only for who holds
 * the store alone: others may be about to write the revision. What cannot be removed does no harm.
 */
void arrivals_sweep(const vqemu_store *store);

#endif
