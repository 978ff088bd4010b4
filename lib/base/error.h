/* SPDX-License-Identifier: MIT */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <volt-qemu/error.h>

#include "util/cleanup.h"

/*
 * Make an error and return its code. system_errno is 0 where no system call failed; otherwise its
 * text is added to the message. If memory is short, the error says that instead, but the code
 * stays.
 */
int error_set(vqemu_error **error, int code, int system_errno, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The error for a failed system call: VQEMU_ERR_SYSTEM, NOT_FOUND for ENOENT, NO_MEMORY for ENOMEM,
 * READ_ONLY for EROFS. */
int error_system(vqemu_error **error, int system_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int error_no_memory(vqemu_error **error);

DEFINE_CLEANUP(vqemu_error, error, vqemu_error_free);
#define _cleanup_error_ _cleanup_(cleanup_error)

#endif
