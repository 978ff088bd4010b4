/* SPDX-License-Identifier: MIT */
/* What to do about an error, in the words of the command line: the library does not know these. */
#ifndef WAY_OUT_H
#define WAY_OUT_H

#include <volt-qemu/volt-qemu.h>

/* By the reason of the error. New; NULL where its message says all. */
char *way_out_of(const vqemu_error *error);

#endif
