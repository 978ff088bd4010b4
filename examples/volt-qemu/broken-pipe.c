/* SPDX-License-Identifier: MIT */
#include "broken-pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static bool is_broken(int fd) {
    struct pollfd output = {.fd = fd, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && output.revents & (POLLERR | POLLHUP);
}

bool output_is_broken(void) {
    return is_broken(STDOUT_FILENO);
}
