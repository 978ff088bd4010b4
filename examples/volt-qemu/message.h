/* SPDX-License-Identifier: MIT */
/* Errors and warnings for people, each one line on stderr. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <volt-qemu/volt-qemu.h>

#include "commands.h"

/* The exit status for wrong usage, beside EXIT_SUCCESS and EXIT_FAILURE. */
#define EXIT_USAGE 2

/* Report an error of the library. Returns EXIT_FAILURE, so that callers can "return fail(error);".
 */
int fail(const vqemu_error *error);

/* Report an error of a call that was given the user's values: if it is these, the usage was wrong.
 */
int fail_request(const struct command *command, const vqemu_error *error);

/* Report another failure. Returns EXIT_FAILURE. */
int fail_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Report wrong usage, and where help is; command may be NULL. Returns EXIT_USAGE. */
int fail_usage(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
