/* SPDX-License-Identifier: MIT */
/* On a network or FUSE file system, and at a FIFO, opening can be interrupted. */
#ifndef OPEN_PATIENTLY_H
#define OPEN_PATIENTLY_H

/* As openat(2), again while it is interrupted: with O_CLOEXEC, and mode 0644 for what it makes. */
int open_patiently(int directory_fd, const char *name, int flags);

/* A file of the caller's to read. A FIFO is open before it has a writer: to wait for one is for who
 * reads, who knows how long. */
int open_to_read(const char *path);

#endif
