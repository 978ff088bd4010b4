/* SPDX-License-Identifier: MIT */
/* What comes in place of a tar archive. */
#ifndef LIB_TAR_FOREIGN_H
#define LIB_TAR_FOREIGN_H

#include <stddef.h>

#include <volt-qemu/error.h>

/* The error for something that begins like this; name stands for it. */
int tar_not_an_archive(const char *name, const char *bytes, size_t size, vqemu_error **error);

#endif
