/* SPDX-License-Identifier: MIT */
#ifndef LIB_EXECUTABLE_H
#define LIB_EXECUTABLE_H

#include "store/manifest.h"

/*
 * Whether a file of a tree is executable: as the manifest says; where it does not, programs,
 * scripts and everything below bin/ are, and the dynamic loader, which runs the program. fd: the
 * object; -1 if the manifest says it. 1, 0, or the error of a read.
 */
int executable_is_wanted(const struct manifest_object *object, int fd);

#endif
