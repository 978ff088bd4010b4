/* SPDX-License-Identifier: MIT */
#include "patience.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

#define MOMENT 50 /* milliseconds */

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t patience_end(const struct options *options) {
    return options->timeout <= 0 ? INT64_MAX : now() + options->timeout * 1000;
}

int64_t patience_within(int64_t end, int seconds) {
    int64_t other = now() + (int64_t)seconds * 1000;
    return other < end ? other : end;
}

bool patience_wait(int fd, short events, int64_t end) {
    struct pollfd poll_fd = {.fd = fd, .events = events};
    do /* an error is for read() or write() to tell */
        if (poll(&poll_fd, 1, MOMENT) != 0 || fd < 0)
            return now() < end;
    while (now() < end);
    return false;
}

int read_patiently(int fd, char *bytes, size_t max, int64_t end, size_t *size) {
    ssize_t n = 1;
    *size = 0;
    while (n > 0 && *size < max) {
        if (!patience_wait(fd, POLLIN, end))
            return -1;
        n = read(fd, bytes + *size, max - *size);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            n = 1; /* nothing yet */
        else if (n < 0)
            return errno;
        else
            *size += (size_t)n;
    }
    return 0;
}

int fail_impatient(const struct options *options, const char *awaited) {
    return fail_late("the time given, %lld s, was over waiting for %s", (long long)options->timeout,
                     awaited);
}
