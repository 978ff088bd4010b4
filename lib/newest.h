/* SPDX-License-Identifier: MIT */
/* Which ref of a profile is the newest, without reading them all again. */
#ifndef LIB_NEWEST_H
#define LIB_NEWEST_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "ref.h"

/* The state of refs/ before it is read. */
struct newest_scan {
    struct timespec begin;
    struct stat refs;
};

/*
 * The newest ref as it was found before, if nothing was added to refs/, removed or renamed since,
 * and its file is the same. Its manifest has not been loaded. Returns 1 and *ref, 0 if it is not
 * known, or -ENOMEM.
 */
int newest_recall(vqemu_store *store, const char *profile, vqemu_ref **ref);

/* Free what a handle has in its memory of this. */
struct newest_memo;
void newest_forget(struct newest_memo *memo);

/* Around a reading of refs/: remember what it found. Failures do not matter. */
void newest_begin(const vqemu_store *store, struct newest_scan *scan);
void newest_remember(const vqemu_store *store, const char *profile, const struct newest_scan *scan,
                     const vqemu_ref *ref);

#endif
