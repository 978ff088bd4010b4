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
