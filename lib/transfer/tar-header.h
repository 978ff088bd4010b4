/* SPDX-License-Identifier: MIT */
/* The block that an entry of a tar archive begins with: ustar (POSIX.1-1988), GNU's, v7's. */
#ifndef LIB_TAR_HEADER_H
#define LIB_TAR_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK_SIZE ((size_t)512)

struct tar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[8]; /* with the version */
    char uname[32], gname[32], device_major[8], device_minor[8];
    char prefix[155]; /* of the name, in ustar */
    char unused[12];
};

/* The parts of an old sparse file of GNU: some in the header, where ustar has the prefix, the rest
 * in blocks that follow. */
struct tar_sparse_field {
    char offset[12], size[12];
};
#define TAR_SPARSE_IN_HEADER 4
#define TAR_SPARSE_IN_BLOCK 21
struct tar_gnu_header {
    char before[386];
    struct tar_sparse_field sparse[TAR_SPARSE_IN_HEADER];
    char is_extended;
    char real_size[12];
    char unused[17];
};
struct tar_sparse_block {
    struct tar_sparse_field sparse[TAR_SPARSE_IN_BLOCK];
    char is_extended;
    char unused[7];
};

bool tar_block_is_zero(const void *block);

/* Whether the checksum is right, of bytes with or without a sign. */
bool tar_header_is_sound(const struct tar_header *header);

/*
 * A number in octal digits, or in base 256 as GNU tar writes large ones. False if it is none, or
 * beyond 63 bits. A field without digits is 0.
 */
bool tar_number(const char *field, size_t size, int64_t *value);

/* The name, or the target of a link; owned by the caller; NULL without memory. */
char *tar_header_name(const struct tar_header *header);
char *tar_header_link(const struct tar_header *header);

/*
 * Make a header with the owner 0:0. Returns false if the name or the size does not fit: then they
 * are cut short, and an extended header must have them.
 */
bool tar_header_make(struct tar_header *header, char type, const char *name, uint64_t size,
                     unsigned mode, int64_t time);

#endif
