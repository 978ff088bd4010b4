/* SPDX-License-Identifier: MIT */
/* When a revision says that it was created, which decides which one is the newest. */
#ifndef LIB_CREATION_TIME_H
#define LIB_CREATION_TIME_H

#include "store/revision.h"
#include "util/rfc3339.h"

/*
 * Whether a time that others chose may come into a store. One of the future would be the newest
 * until then, whatever came after it: VQEMU_ERR_INVALID, with the reason "from-the-future". A day
 * is allowed for clocks that differ. what stands for who says so: "the archive x.tar".
 */
int creation_time_check(const struct timespec *time, const char *what, vqemu_error **error);

/*
 * Now, or just after the newest revision (NULL for none), so that an ingest is the newest even if
 * the clock was set back. VQEMU_ERR_INVALID, with the reason "no-later-time", if there is none.
 */
int creation_time_choose(const vqemu_revision *newest, char text[RFC3339_SIZE],
                         vqemu_error **error);

#endif
