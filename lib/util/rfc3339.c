/* SPDX-License-Identifier: MIT */
#include "util/rfc3339.h"

#include <stdio.h>

/* Read exactly count digits; false if there are fewer. Moves *text on. */
static bool read_digits(const char **text, int count, int *value) {
    *value = 0;
    for (int i = 0; i < count; i++) {
        if (**text < '0' || **text > '9')
            return false;
        *value = *value * 10 + (*(*text)++ - '0');
    }
    return true;
}

static bool read_char(const char **text, char expected) {
    if (**text != expected)
        return false;
    (*text)++;
    return true;
}

static bool read_date(const char **text, struct tm *tm) {
    if (!read_digits(text, 4, &tm->tm_year) || !read_char(text, '-') ||
        !read_digits(text, 2, &tm->tm_mon) || !read_char(text, '-') ||
        !read_digits(text, 2, &tm->tm_mday))
        return false;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1)
        return false;
    bool leap = (tm->tm_year % 4 == 0 && tm->tm_year % 100 != 0) || tm->tm_year % 400 == 0;
    return tm->tm_mday <= days[tm->tm_mon - 1] + (tm->tm_mon == 2 && leap);
}

static bool read_time(const char **text, struct tm *tm) {
    return read_digits(text, 2, &tm->tm_hour) && read_char(text, ':') &&
           read_digits(text, 2, &tm->tm_min) && read_char(text, ':') &&
           read_digits(text, 2, &tm->tm_sec) && tm->tm_hour < 24 && tm->tm_min < 60 &&
           tm->tm_sec <= 60; /* a leap second */
}

/* The optional fraction; digits beyond nanoseconds are dropped. */
static bool read_fraction(const char **text, long *nanoseconds) {
    *nanoseconds = 0;
    if (!read_char(text, '.'))
        return true;
    long unit = 100000000;
    const char *first = *text;
    for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
        *nanoseconds += (**text - '0') * unit;
    return *text != first;
}

static bool read_offset(const char **text, int *seconds) {
    *seconds = 0;
    if (read_char(text, 'Z') || read_char(text, 'z'))
        return true;
    int sign = **text == '-' ? -1 : 1;
    int hours, minutes;
    if (!read_char(text, '+') && !read_char(text, '-'))
        return false;
    if (!read_digits(text, 2, &hours) || !read_char(text, ':') || !read_digits(text, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool rfc3339_parse(const char *text, struct timespec *time) {
    struct tm tm = {0};
    long nanoseconds;
    int offset;
    if (!read_date(&text, &tm) || (*text != 'T' && *text != 't'))
        return false;
    text++;
    if (!read_time(&text, &tm) || !read_fraction(&text, &nanoseconds) ||
        !read_offset(&text, &offset) || *text)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time->tv_sec = timegm(&tm) - offset;
    time->tv_nsec = nanoseconds;
    return true;
}

bool rfc3339_format(const struct timespec *time, char text[RFC3339_SIZE]) {
    struct tm tm;
    if (!gmtime_r(&time->tv_sec, &tm))
        return false;
    snprintf(text, RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, time->tv_nsec);
    return true;
}

int timespec_compare(const struct timespec *a, const struct timespec *b) {
    if (a->tv_sec != b->tv_sec)
        return a->tv_sec < b->tv_sec ? -1 : 1;
    return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}
