/* SPDX-License-Identifier: MIT */
/*
 * Paths that are used with the caller's rights, mostly root's, though parts of them belong to the
 * user that a VM runs as: a link on the way is followed only if it and its directory are root's or
 * the caller's, and never one at the end.
 */
#ifndef LIB_TRUSTED_H
#define LIB_TRUSTED_H

#include <stdbool.h>
#include <stddef.h>

/* Open an absolute path with O_PATH. A descriptor or a negative errno: -ELOOP for a link on the way
 * that is not followed; one at the end is what is opened. */
int trusted_open(const char *path);

/*
 * The same for a directory, which is made if it is missing: with mode 0700, those above it with
 * 0755. *made tells whether it was. If it fails, path up to *reached is what failed.
 */
int trusted_make_directory(const char *path, bool *made, size_t *reached);

#endif
