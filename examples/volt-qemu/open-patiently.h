/* SPDX-License-Identifier: MIT */
/* On a network or FUSE file system, and at a FIFO, opening can be interrupted. */
#ifndef OPEN_PATIENTLY_H
#define OPEN_PATIENTLY_H

/* As openat(2), again while it is interrupted: with O_CLOEXEC, and mode 0644 for what it makes. */
int open_patiently(int directory_fd, const char *name, int flags);

#endif
