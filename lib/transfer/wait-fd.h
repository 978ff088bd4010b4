/* SPDX-License-Identifier: MIT */
/* Waiting for pipes and sockets, whose other end may be slow. */
#ifndef LIB_WAIT_FD_H
#define LIB_WAIT_FD_H

#include <stdbool.h>

#include "base/progress.h"

/*
 * Wait until a descriptor has or takes something (POLLIN, POLLOUT); a file always does. The caller
 * of the library is told meanwhile. False with *given_up, an error, if it wants no more.
 */
bool wait_fd(int fd, short events, struct vqemu_progress *progress, vqemu_error **given_up);

#endif
