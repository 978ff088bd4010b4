/* SPDX-License-Identifier: MIT */
#include "util/rfc3339.h"

#include <stdint.h>
#include <stdio.h>

/* Not timegm() and gmtime_r(): both read the environment (TZ) and may open files. */
#define SECONDS_PER_DAY 86400
#define FEBRUARY 2

/* A date and time of day in UTC. */
struct moment {
    int year, month, day; /* month and day count from 1 */
    int hour, minute, second;
};

static bool is_leap_year(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == FEBRUARY && is_leap_year(year));
}

/* The days from the year 0 to the beginning of a year. */
static int64_t days_before_year(int year) {
    /* 400 years are added, so that all divisions are of numbers above 0, and taken off again. */
    int64_t last = (int64_t)year + 399;
    return 365 * (last + 1) + last / 4 - last / 100 + last / 400 + 1 - 146097;
}

static int64_t to_seconds(const struct moment *moment) {
    int64_t days = days_before_year(moment->year) - days_before_year(1970) + moment->day - 1;
    for (int month = 1; month < moment->month; month++)
        days += days_of_month(moment->year, month);
    int64_t minutes = (int64_t)60 * moment->hour + moment->minute;
    return days * SECONDS_PER_DAY + 60 * minutes + moment->second;
}

/* False for what is not in the years 0 to 9999. */
static bool from_seconds(int64_t seconds, struct moment *moment) {
    int64_t epoch = days_before_year(1970);
    if (seconds < -epoch * SECONDS_PER_DAY ||
        seconds >= (days_before_year(10000) - epoch) * SECONDS_PER_DAY)
        return false;
    int64_t since_year_0 = seconds + epoch * SECONDS_PER_DAY;
    int64_t days = since_year_0 / SECONDS_PER_DAY, rest = since_year_0 % SECONDS_PER_DAY;
    moment->year = (int)(days / 366);
    while (days_before_year(moment->year + 1) <= days)
        moment->year++;
    days -= days_before_year(moment->year);
    for (moment->month = 1; days >= days_of_month(moment->year, moment->month); moment->month++)
        days -= days_of_month(moment->year, moment->month);
    moment->day = (int)days + 1;
    moment->hour = (int)(rest / 3600);
    moment->minute = (int)(rest / 60 % 60);
    moment->second = (int)(rest % 60);
    return true;
}

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

static bool read_date(const char **text, struct moment *moment) {
    return read_digits(text, 4, &moment->year) && read_char(text, '-') &&
           read_digits(text, 2, &moment->month) && read_char(text, '-') &&
           read_digits(text, 2, &moment->day) && moment->month >= 1 && moment->month <= 12 &&
           moment->day >= 1 && moment->day <= days_of_month(moment->year, moment->month);
}

static bool read_time(const char **text, struct moment *moment) {
    return read_digits(text, 2, &moment->hour) && read_char(text, ':') &&
           read_digits(text, 2, &moment->minute) && read_char(text, ':') &&
           read_digits(text, 2, &moment->second) && moment->hour < 24 && moment->minute < 60 &&
           moment->second <= 60; /* a leap second */
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
    struct moment moment;
    long nanoseconds;
    int offset;
    if (!read_date(&text, &moment) || (*text != 'T' && *text != 't'))
        return false;
    text++;
    if (!read_time(&text, &moment) || !read_fraction(&text, &nanoseconds) ||
        !read_offset(&text, &offset) || *text)
        return false;
    time->tv_sec = to_seconds(&moment) - offset;
    time->tv_nsec = nanoseconds;
    return true;
}

bool rfc3339_format(const struct timespec *time, char text[RFC3339_SIZE]) {
    struct moment moment;
    if (!from_seconds(time->tv_sec, &moment))
        return false;
    snprintf(text, RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", moment.year, moment.month,
             moment.day, moment.hour, moment.minute, moment.second, time->tv_nsec);
    return true;
}

int timespec_compare(const struct timespec *a, const struct timespec *b) {
    if (a->tv_sec != b->tv_sec)
        return a->tv_sec < b->tv_sec ? -1 : 1;
    return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}
