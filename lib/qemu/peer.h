/* SPDX-License-Identifier: MIT */
/* The process on the other side of a Unix socket, and its end. */
#ifndef LIB_PEER_H
#define LIB_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct peer {
    pid_t pid; /* 0 if it is not known */
    int fd;    /* a pidfd: readable once the process has ended; -1 if there is none */
};

#define PEER_NONE ((struct peer){.fd = -1})

/* That of a connected socket. */
struct peer peer_of(int socket_fd);

/* Whether it is known that the process has ended; never if the process is not known. */
bool peer_has_ended(const struct peer *peer);

void peer_close(struct peer *peer);

#endif
