/* SPDX-License-Identifier: MIT */
#ifndef BROKEN_PIPE_H
#define BROKEN_PIPE_H

#include <stdbool.h>

/* Whether standard output is a pipe or socket that nobody reads any more. */
bool output_is_broken(void);

#endif
