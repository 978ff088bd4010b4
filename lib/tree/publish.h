/* SPDX-License-Identifier: MIT */
/* A tree that is complete gets its name. */
#ifndef LIB_PUBLISH_H
#define LIB_PUBLISH_H

#include "base/progress.h"

/*
 * Give a staged tree its name. One that has the name already is exchanged for it: it keeps living
 * under the name of a leftover as long as it is in use. Where the file system can rename neither of
 * them over the other, it is removed first; if it is in use, that is VQEMU_ERR_BUSY. The caller
 * holds the lock of the tree. Returns 0 or an error.
 */
int publish_tree(const char *trees_path, int trees_fd, const char *staged, const char *digest,
                 struct vqemu_progress *progress, vqemu_error **error);

#endif
