/* SPDX-License-Identifier: MIT */
/* Empty files that say all they have to say by their names: pins, arrivals. */
#ifndef LIB_MARKER_H
#define LIB_MARKER_H

/*
 * Make one, on stable storage, as is the name of its directory, which may have been made just now.
 * Returns 0, also if it is there already, or a negative errno.
 */
int marker_make(int directory_fd, const char *name);

#endif
