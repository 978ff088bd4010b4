/* SPDX-License-Identifier: MIT */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>

#include <volt-qemu/error.h>

#include "util/cleanup.h"

/* What every public function that can fail begins with: what an earlier call left is freed. */
static inline void error_begin(vqemu_error **error) {
    if (error) {
        vqemu_error_free(*error);
        *error = NULL;
    }
}

/* The caller's mistakes. They name the public function. */
int error_null_argument(vqemu_error **error, const char *function, const char *argument);
int error_unknown_flags(vqemu_error **error, const char *function, uint32_t flags);
/* Flags, or a flag and an argument, that exclude or need each other; text says which. */
int error_flags_at_odds(vqemu_error **error, const char *function, const char *text);
int error_forked(vqemu_error **error, const char *function);
int error_bad_descriptor(vqemu_error **error, const char *function, int fd);

#define REQUIRE_ARGUMENT(argument, error)                                                          \
    do {                                                                                           \
        if (!(argument))                                                                           \
            return error_null_argument(error, __func__, #argument);                                \
    } while (0)

/* poll(2) passes a negative descriptor over, and would wait for ever. */
#define REQUIRE_DESCRIPTOR(fd, error)                                                              \
    do {                                                                                           \
        if (fcntl(fd, F_GETFD) < 0)                                                                \
            return error_bad_descriptor(error, __func__, fd);                                      \
    } while (0)

#define REQUIRE_FLAGS(flags, known, error)                                                         \
    do {                                                                                           \
        if ((flags) & ~(uint32_t)(known))                                                          \
            return error_unknown_flags(error, __func__, flags);                                    \
    } while (0)

/* noun: "a call", "a disk". choices: the keys that there are, separated by ", ". */
int error_unknown_key(vqemu_error **error, const char *noun, const char *key, const char *choices);

/*
 * Make an error and return its code; an older one is freed. system_errno is 0 where no system call
 * failed; otherwise its text is added to the message. If memory is short, the error says that
 * instead, and VQEMU_ERR_NO_MEMORY is returned, as by all that add to an error below.
 */
int error_set(vqemu_error **error, int code, int system_errno, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

int error_set_va(vqemu_error **error, int code, int system_errno, const char *format,
                 va_list arguments) __attribute__((format(printf, 4, 0)));

/* The error for a failed system call: VQEMU_ERR_SYSTEM, NOT_FOUND for ENOENT, NO_MEMORY for ENOMEM,
 * READ_ONLY for EROFS. */
int error_system(vqemu_error **error, int system_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same where it failed at a path, which is formatted, ends the message ("cannot open <path>"),
 * and becomes a detail. */
int error_system_at(vqemu_error **error, int system_errno, const char *failure, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

int error_no_memory(vqemu_error **error);

/*
 * Add to the error that was just made with this code: a reason, a static word or NULL to leave it,
 * and pairs of a detail's name, which is static, and its value (NULL is passed over), ended by
 * NULL. A detail that there is already gets the new value. Returns the code.
 */
int error_because(int code, vqemu_error **error, const char *reason, ...) __attribute__((sentinel));

/* Make an error like another; returns its code. */
int error_copy(const vqemu_error *from, vqemu_error **error);

/* Whether it is not about what was looked at, but the call itself cannot go on: it was cancelled,
 * its time is over, there is no memory. */
bool error_ends_call(int code);

/* Note the line of the document at fault; returns the code. */
int error_at_line(int code, vqemu_error **error, int64_t line);

/* Put text before the message, and keep all else; returns the code. */
int error_prefix(int code, vqemu_error **error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * One line of UTF-8, safe for terminals and logs, whatever bytes came in: "\x1B" stands for a
 * control byte and for one that is not UTF-8, "\u{202E}" for a character that would reorder the
 * line or end it. NULL without memory.
 */
char *make_printable(const char *text);

DEFINE_CLEANUP(vqemu_error, error, vqemu_error_free);
#define _cleanup_error_ _cleanup_(cleanup_error)

#endif
