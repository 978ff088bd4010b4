/* SPDX-License-Identifier: MIT */
/* Decompression of gzip (RFC 1952) with its checksums, which libarchive passes over. */
#ifndef LIB_GUNZIP_H
#define LIB_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct gunzip;

/* Whether bytes begin like gzip. */
bool gunzip_knows(const unsigned char *bytes, size_t size);

/* Where compressed bytes come from: the next ones, 0 at the end, or a negative errno. */
typedef ssize_t (*gunzip_source_fn)(void *userdata, const unsigned char **bytes);

/*
 * Begin. NULL with *problem, a static text, without memory or if zlib cannot be loaded. *problem is
 * NULL for lack of memory.
 */
struct gunzip *gunzip_new(gunzip_source_fn source, void *userdata, const char **problem);
void gunzip_free(struct gunzip *gunzip);

/*
 * The next decompressed bytes, at most size. 0 at the end of sound data; -EBADMSG with *problem, a
 * static text; or what the source failed with.
 */
ssize_t gunzip_read(struct gunzip *gunzip, void *bytes, size_t size, const char **problem);

#endif
