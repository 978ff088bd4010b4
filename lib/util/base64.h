/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648, section 4). */
#ifndef UTIL_BASE64_H
#define UTIL_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Decode text of so many bytes, in which lines may end. Returns how many bytes it stands for, or -1
 * if it is no base64, lacks its end, has bits that mean nothing, or stands for more than size.
 */
ssize_t base64_decode(const char *text, size_t length, unsigned char *bytes, size_t size);

/* Encode without "=" at the end, and with a NUL behind. */
#define BASE64_SIZE(size) (((size)*4 + 2) / 3 + 1)
void base64_encode(const unsigned char *bytes, size_t size, char *text);

#endif
