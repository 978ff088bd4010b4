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
    return error_because(r, error, "from-the-future", "value", text, NULL);
}

int creation_time_choose(const vqemu_revision *newest, char text[RFC3339_SIZE],
                         vqemu_error **error) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (newest) {
        struct timespec next = *manifest_time(vqemu_revision_manifest(newest));
        if (++next.tv_nsec == 1000000000) {
            next.tv_sec++;
            next.tv_nsec = 0;
        }
        if (timespec_compare(&now, &next) < 0)
            now = next;
    }
    if (rfc3339_format(&now, text))
        return 0;
    if (!newest)
        return error_set(error, VQEMU_ERR_SYSTEM, 0,
                         "the clock of this host has a year of five digits");
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "revision %s says that it was created at %s, and nothing can be newer than "
                      "that: remove it",
                      vqemu_revision_name(newest),
                      vqemu_manifest_created_at(vqemu_revision_manifest(newest)));
    return error_because(r, error, "no-later-time", "revision", vqemu_revision_name(newest), NULL);
}
