/* SPDX-License-Identifier: MIT */
/* The values of options. */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number from 0 to max; nothing else is accepted. */
bool parse_number(const char *text, int64_t max, int64_t *number);

/* An amount of memory in MiB: a number, or one with the suffix M or G. */
bool parse_memory(const char *text, int64_t *mib);

/* A number of bytes, or one with the suffix K, M or G (powers of 1024). */
bool parse_bytes(const char *text, int64_t *bytes);

/*
 * The path from the root directory, new, without resolving symbolic links: the guest must see the
 * path that was given. NULL with errno if the working directory cannot be told.
 */
char *absolute_path(const char *path);

#endif
