/* SPDX-License-Identifier: MIT */
/* Waiting for who is on the other side of a pipe, as long as the command has time (--timeout). */
#ifndef PATIENCE_H
#define PATIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

/* Milliseconds of a steady clock at which the time of the command is over that begins to wait now;
 * INT64_MAX if it has no end. */
int64_t patience_end(const struct options *options);

/* The same, but of so many seconds more at the latest. */
int64_t patience_within(int64_t end, int seconds);

/* Sleep until a descriptor is ready for events of poll(2), or a moment where fd is -1. Returns
 * whether there is time left. */
bool patience_wait(int fd, short events, int64_t end);

/* Read up to the end, or max bytes, of which *size tells; those that came before a failure too.
 * Returns 0, an errno, or -1 if there is no time left. */
int read_patiently(int fd, char *bytes, size_t max, int64_t end, size_t *size);

/* Report that the time was over while something was waited for. */
int fail_impatient(const struct options *options, const char *awaited);

#endif
