/* SPDX-License-Identifier: MIT */
#ifndef UTIL_RFC3339_H
#define UTIL_RFC3339_H

#include <stdbool.h>
#include <time.h>

/* Parse an RFC 3339 date-time, such as 2025-01-31T10:00:00.5+01:00; false if it is not one. */
bool rfc3339_parse(const char *text, struct timespec *time);

/* Write the time in UTC with nanoseconds: 2025-01-31T09:00:00.500000000Z. False if its year has no
 * four digits. */
#define RFC3339_SIZE 48
bool rfc3339_format(const struct timespec *time, char text[RFC3339_SIZE]);

int timespec_compare(const struct timespec *a, const struct timespec *b);

#endif
