/* SPDX-License-Identifier: MIT */
#include "qemu/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

/* The process that listened, or made the pair. What is our own, or the first of all, made the
 * socket for QEMU, and is not QEMU. */
static pid_t find_pid(int socket_fd) {
    struct ucred credentials = {0};
    socklen_t size = sizeof credentials;
    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return 0;
    return credentials.pid > 1 && credentials.pid != getpid() ? credentials.pid : 0;
}

/* The first way cannot be wrong about a number that another process has got meanwhile. */
static int open_pidfd(int socket_fd, pid_t pid) {
    int fd = -1;
    socklen_t size = sizeof fd;
    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) < 0)
        fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd_above_stdio(fd);
}

struct peer peer_of(int socket_fd) {
    struct peer peer = {find_pid(socket_fd), -1};
    if (peer.pid == 0)
        return peer;
    peer.fd = open_pidfd(socket_fd, peer.pid);
    /* Whoever made the socket for QEMU has ended: somebody else is on the other side. */
    if (peer.fd == -ESRCH || peer_has_ended(&peer)) {
        peer_close(&peer);
        peer.pid = 0;
    }
    if (peer.fd < 0)
        peer.fd = -1;
    return peer;
}

/* A child that nobody has waited for has a number still. */
static bool is_zombie(pid_t pid) {
    char path[32], text[256];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    _cleanup_close_ int fd = open_at(AT_FDCWD, path, O_RDONLY, 0);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    const char *state = strrchr(text, ')');
    return state && (state[1] == ' ' && (state[2] == 'Z' || state[2] == 'X'));
}

bool peer_has_ended(const struct peer *peer) {
    struct pollfd poller = {.fd = peer->fd, .events = POLLIN};
    if (peer->pid == 0)
        return false;
    if (peer->fd >= 0)
        return poll(&poller, 1, 0) == 1;
    return (kill(peer->pid, 0) < 0 && errno == ESRCH) || is_zombie(peer->pid);
}

void peer_close(struct peer *peer) {
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
}
