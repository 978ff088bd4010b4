/* SPDX-License-Identifier: MIT */
/*
 * Errors and warnings, each one line on stderr: for people, or with --json a JSON object. Who
 * reports a failure gets the exit status for it, so that callers can "return fail(error);".
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <jansson.h>
#include <volt-qemu/volt-qemu.h>

#include "commands.h"

/* From now on messages are JSON. */
void messages_as_json(void);

/* Report an error of the library, and the way out in the words of the command line. */
int fail(const vqemu_error *error);

/* Report one about what has been read, and where from: a file or a program. */
int fail_about(const char *from, const vqemu_error *error);

/* Report an error of a call that was given values of the command line. */
int fail_request(const struct command *command, const vqemu_error *error);

/* Report an error of a call that was given the keys of a VM. */
int fail_vm(const vqemu_error *error);

/* The same of a policy. */
int fail_policy(const vqemu_error *error);

/* What is reported of an error with --json. */
json_t *error_json(const vqemu_error *error);

/* Report a failure that has no class of its own. */
int fail_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Report a system call that failed; its error is put behind the text. */
int fail_system(int error_number, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Report that a file cannot be written, and what is to be done if its directory is not there. */
int fail_writing(int error_number, const char *path);

/* Report a value that cannot be; reason is a word of docs/errors.md. */
int fail_invalid(const char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Report that the time was over that the command was given. */
int fail_late(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Report wrong usage, and where help is; command may be NULL. */
int fail_usage(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the program. */
_Noreturn void fail_memory(void);

void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
