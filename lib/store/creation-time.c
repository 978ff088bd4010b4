/* SPDX-License-Identifier: MIT */
#include "store/creation-time.h"

#include "base/error.h"

#define SECONDS_AHEAD ((time_t)24 * 60 * 60)

int creation_time_check(const struct timespec *time, const char *what, vqemu_error **error) {
    struct timespec latest;
    char text[RFC3339_SIZE];
    clock_gettime(CLOCK_REALTIME, &latest);
    latest.tv_sec += SECONDS_AHEAD;
    if (timespec_compare(time, &latest) <= 0)
        return 0;
    if (!rfc3339_format(time, text))
        text[0] = '\0';
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "%s says that it was created at %s, which is more than a day from now by the "
                      "clock of this host",
                      what, text);
    return error_because(r, error, "from-the-future", VQEMU_DETAIL_VALUE, text, NULL);
}

int creation_time_now(char text[RFC3339_SIZE], vqemu_error **error) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return rfc3339_format(&now, text)
               ? 0
               : error_set(error, VQEMU_ERR_SYSTEM, 0,
                           "the clock of this host has a year of five digits");
}
