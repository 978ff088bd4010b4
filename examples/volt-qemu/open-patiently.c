/* SPDX-License-Identifier: MIT */
#include "open-patiently.h"

#include <errno.h>
#include <fcntl.h>

int open_patiently(int directory_fd, const char *name, int flags) {
    int fd;
    do
        fd = openat(directory_fd, name, flags | O_CLOEXEC, 0644);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int open_to_read(const char *path) {
    int fd = open_patiently(AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return fd;
}
