/* SPDX-License-Identifier: MIT */
#ifndef READ_TEXT_H
#define READ_TEXT_H

#include "options.h"

/* All of a descriptor, which are at most max bytes, with NUL behind. what: as people know it.
 * Returns 0, or the exit status of a failure that has been reported; the caller frees *text in any
 * case. */
int read_text(const struct options *options, int fd, const char *what, size_t max, char **text);

#endif
