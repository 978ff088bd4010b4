/* SPDX-License-Identifier: MIT */
#include "transfer/wait-fd.h"

#include <errno.h>
#include <poll.h>

bool wait_fd(int fd, short events, struct vqemu_progress *progress, vqemu_error **given_up) {
    struct pollfd poll_fd = {.fd = fd, .events = events};
    const int interval = 100; /* milliseconds */
    for (;;) {
        int r = poll(&poll_fd, 1, interval);
        if (r > 0 || (r < 0 && errno != EINTR))
            return true; /* an error is for read() or write() to tell */
        if (progress_report(progress, given_up) < 0)
            return false;
    }
}
