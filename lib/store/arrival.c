/* SPDX-License-Identifier: MIT */
/*
 * An arrival is an empty file cas/arrivals/<name of the revision>~<seconds>.<nanoseconds>, made
 * before the revision's own file. One that is left without a revision does no harm: the next
 * arrival of that revision is later.
 */
#include "store/arrival.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/marker.h"
#include "store/revision-name.h"
#include "store/store-parts.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/rfc3339.h"
#include "util/strbuf.h"

#define TIME_MARK '~'
#define SECONDS_DIGITS 12 /* beyond the year 9999, the last that a manifest can claim */
#define NANOSECONDS_DIGITS 9

/* ---- names ---- */

/* Digits without a sign or space. Returns what is behind them, NULL for other than min to max. */
static const char *take_digits(const char *text, size_t min, size_t max, int64_t *number) {
    size_t length = 0;
    for (*number = 0; length <= max && text[length] >= '0' && text[length] <= '9'; length++)
        *number = 10 * *number + (text[length] - '0');
    return length >= min && length <= max ? text + length : NULL;
}

static bool parse_time(const char *text, struct timespec *time) {
    int64_t seconds, nanoseconds;
    text = take_digits(text, 1, SECONDS_DIGITS, &seconds);
    if (!text || *text++ != '.')
        return false;
    text = take_digits(text, NANOSECONDS_DIGITS, NANOSECONDS_DIGITS, &nanoseconds);
    if (!text || *text)
        return false;
    *time = (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)nanoseconds};
    return true;
}

bool arrival_parse(const char *file, char revision[NAME_MAX + 1], struct timespec *time) {
    const char *mark = strchr(file, TIME_MARK);
    size_t length = mark ? (size_t)(mark - file) : 0;
    if (length == 0 || length > NAME_MAX || !parse_time(mark + 1, time))
        return false;
    memcpy(revision, file, length);
    revision[length] = '\0';
    return revision_is_name(revision);
}

/* ---- reading ---- */

static int add_arrival(struct arrivals *arrivals, const char *revision,
                       const struct timespec *time) {
    if (arrivals->count == arrivals->capacity) {
        size_t capacity = arrivals->capacity ? 2 * arrivals->capacity : 16;
        struct arrival *larger = realloc(arrivals->arrivals, capacity * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        arrivals->arrivals = larger;
        arrivals->capacity = capacity;
    }
    struct arrival *arrival = &arrivals->arrivals[arrivals->count];
    *arrival = (struct arrival){strdup(revision), *time};
    if (!arrival->revision)
        return -ENOMEM;
    arrivals->count++;
    return 0;
}

/* What has another name is passed over: it says nothing. */
static int read_arrival(int directory_fd, const char *name, void *userdata) {
    (void)directory_fd;
    char revision[NAME_MAX + 1];
    struct timespec time;
    return arrival_parse(name, revision, &time) ? add_arrival(userdata, revision, &time) : 0;
}

static int compare_names(const void *a, const void *b) {
    const struct arrival *x = a, *y = b;
    return strcmp(x->revision, y->revision);
}

/* Of one revision the latest first. */
static int compare_arrivals(const void *a, const void *b) {
    const struct arrival *x = a, *y = b;
    int order = compare_names(a, b);
    return order ? order : timespec_compare(&y->time, &x->time);
}

static void drop_earlier(struct arrivals *arrivals) {
    size_t kept = 0;
    for (size_t i = 0; i < arrivals->count; i++) {
        if (kept > 0 && compare_names(&arrivals->arrivals[kept - 1], &arrivals->arrivals[i]) == 0)
            free(arrivals->arrivals[i].revision);
        else
            arrivals->arrivals[kept++] = arrivals->arrivals[i];
    }
    arrivals->count = kept;
}

int arrivals_read(const vqemu_store *store, struct arrivals *arrivals, vqemu_error **error) {
    *arrivals = (struct arrivals){0};
    _cleanup_close_ int fd = store_find_beside_objects(store, STORE_ARRIVALS);
    if (fd == -ENOENT)
        return 0;
    int r = fd < 0 ? fd : for_each_entry(fd, ".", read_arrival, arrivals);
    if (r < 0) {
        arrivals_release(arrivals);
        return error_system_at(error, -r, "cannot read", "%s/" STORE_ARRIVALS, store->beside_path);
    }
    if (arrivals->count > 0)
        qsort(arrivals->arrivals, arrivals->count, sizeof *arrivals->arrivals, compare_arrivals);
    drop_earlier(arrivals);
    return 0;
}

const struct timespec *arrivals_of(const struct arrivals *arrivals, const char *revision) {
    const struct arrival wanted = {.revision = (char *)(uintptr_t)revision};
    if (arrivals->count == 0)
        return NULL;
    const struct arrival *found =
        bsearch(&wanted, arrivals->arrivals, arrivals->count, sizeof wanted, compare_names);
    return found ? &found->time : NULL;
}

void arrivals_release(struct arrivals *arrivals) {
    for (size_t i = 0; i < arrivals->count; i++)
        free(arrivals->arrivals[i].revision);
    free(arrivals->arrivals);
    *arrivals = (struct arrivals){0};
}

/* ---- writing ---- */

/* Now, or just after the newest; not before 1970, where a clock without a battery may be. */
static void choose_time(const struct timespec *newest, struct timespec *time) {
    clock_gettime(CLOCK_REALTIME, time);
    if (time->tv_sec < 0)
        *time = (struct timespec){0};
    if (!newest || timespec_compare(newest, time) < 0)
        return;
    *time = *newest;
    if (++time->tv_nsec == 1000000000) {
        time->tv_sec++;
        time->tv_nsec = 0;
    }
}

static char *arrival_name(const char *revision, const struct timespec *time) {
    return format_string("%s%c%jd.%09ld", revision, TIME_MARK, (intmax_t)time->tv_sec,
                         time->tv_nsec);
}

static int report_no_later_time(const char *newest, vqemu_error **error) {
    int r = error_set(error, VQEMU_ERR_INVALID, 0,
                      "nothing can come after revision %s, which came at the end of all times: "
                      "remove it",
                      newest);
    return error_because(r, error, "no-later-time", VQEMU_DETAIL_REVISION, newest, NULL);
}

int arrival_note(const vqemu_store *store, const char *revision, const char *newest,
                 const struct timespec *time, vqemu_error **error) {
    char parsed[NAME_MAX + 1];
    struct timespec arrival;
    choose_time(time, &arrival);
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *name = arrival_name(revision, &arrival);
    if (!name)
        return error_no_memory(error);
    if (!arrival_parse(name, parsed, &arrival))
        return report_no_later_time(newest, error);
    int r = store_open_beside_objects(store, STORE_ARRIVALS, &fd, error);
    if (r < 0)
        return r;
    r = marker_make(fd, name);
    return r < 0 ? error_system_at(error, -r, "cannot write", "%s/" STORE_ARRIVALS "/%s",
                                   store->beside_path, name)
                 : 0;
}

static int sweep_one(int directory_fd, const char *name, void *userdata) {
    const vqemu_store *store = userdata;
    char revision[NAME_MAX + 1];
    struct timespec time;
    if (!arrival_parse(name, revision, &time))
        return 0;
    _cleanup_free_ char *file = revision_file_name(revision);
    if (file && exists_at(store->refs_fd, file) == 0)
        unlinkat(directory_fd, name, 0);
    return 0;
}

void arrivals_sweep(const vqemu_store *store) {
    _cleanup_close_ int fd = store_find_beside_objects(store, STORE_ARRIVALS);
    if (fd >= 0)
        for_each_entry(fd, ".", sweep_one, (void *)(uintptr_t)store);
}
