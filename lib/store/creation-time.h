/* SPDX-License-Identifier: MIT */
/* When a revision says that it was created. It is told to people; what is newer, its arrival says.
 */
#ifndef LIB_CREATION_TIME_H
#define LIB_CREATION_TIME_H

#include <volt-qemu/error.h>

#include "util/rfc3339.h"

/*
 * Whether a time that others chose may come into a store. To readers that know no arrivals, one of
 * the future is the newest until then: VQEMU_ERR_INVALID, with the reason "from-the-future". A day
 * is allowed for clocks that differ. what stands for who says so: "the archive x.tar".
 */
int creation_time_check(const struct timespec *time, const char *what, vqemu_error **error);

/* Now. */
int creation_time_now(char text[RFC3339_SIZE], vqemu_error **error);

#endif
