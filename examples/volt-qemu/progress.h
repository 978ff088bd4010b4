/* SPDX-License-Identifier: MIT */
/*
 * How the library is called: with the limits that the options give. Long operations show how far
 * they are if stderr is a terminal, and are cancelled, so that they can clean up, when the program
 * is interrupted.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <volt-qemu/volt-qemu.h>

#include "options.h"

/* The call of all that the program does; options_free() releases it. Returns 0, or the exit status
 * of a failure that has been reported. */
int call_from_options(struct options *options);

/* Have warnings of options->call printed, for commands that remove what somebody may use. */
int show_warnings(const struct options *options);

/* Around a long operation that is made with options->call. */
void progress_begin(const struct options *options);
void progress_end(void);

#endif
