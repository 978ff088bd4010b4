/* SPDX-License-Identifier: MIT */
#ifndef LIB_WIDE_NUMBER_H
#define LIB_WIDE_NUMBER_H

#include <stddef.h>

/*
 * QEMU's numbers can have 64 bits without a sign, and those of jansson have one. JSON text in which
 * whole numbers that are too large for that are written as real ones, "18446744073709551615.0";
 * owned by the caller. NULL if there is none to write so, or no memory.
 */
char *wide_numbers_to_reals(const char *text, size_t size, size_t *new_size);

#endif
