/* SPDX-License-Identifier: MIT */
/*
 * Small text files with a last line that tells whether all before it is there:
 *
 *     end <SHA-256 of all lines before>
 */
#ifndef LIB_RECORD_H
#define LIB_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "util/strbuf.h"

/* Add the last line. A failed allocation is remembered by the buffer. */
void record_seal(struct strbuf *text);

/*
 * Read a record of at most limit bytes and cut off its last line; *text is owned by the caller.
 * store_flags: those of the store that it is of. Returns 0, -EBADMSG for one that is cut off or
 * altered, -EPERM for one that others than root and the caller can write to, or another negative
 * errno.
 */
int record_read(int directory_fd, const char *name, uint32_t store_flags, size_t limit,
                char **text);

/* Only the beginning of a record, unchecked: at most limit bytes of whole lines. */
int record_read_start(int directory_fd, const char *name, uint32_t store_flags, size_t limit,
                      char **text);

/*
 * Seal the text and write it in place of what has the name, by a rename. Not synced, for what can
 * be found out again. Returns 0 or a negative errno.
 */
int record_replace(int directory_fd, const char *name, struct strbuf *text);

/* The rest of a line behind a prefix, if it has that; then *line moves on to the next line. */
const char *record_next(char **line, const char *prefix);

/* A number, and a time: "<seconds>.<nanoseconds>", with the byte behind it. */
void record_add_number(struct strbuf *text, uint64_t number, unsigned base, char behind);
void record_add_time(struct strbuf *text, int64_t seconds, int64_t nanoseconds, char behind);

/*
 * Take a number off a text, with the byte that must stand behind it, which can be the NUL. False
 * if there is none, or one of more than 64 bits.
 */
bool record_take_number(const char **text, unsigned base, char behind, uint64_t *number);

/* The same of a time. */
bool record_take_time(const char **text, char behind, int64_t *seconds, int64_t *nanoseconds);

#endif
