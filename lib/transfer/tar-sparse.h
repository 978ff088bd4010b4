/* SPDX-License-Identifier: MIT */
/* Where the bytes of a sparse file in an archive belong; all else of it is zeros. */
#ifndef LIB_TAR_SPARSE_H
#define LIB_TAR_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

/* So many pieces take 4 MiB of memory. */
#define TAR_PIECES_MAX ((size_t)256 * 1024)

struct tar_piece {
    uint64_t offset, size;
};

struct tar_sparse {
    struct tar_piece *pieces;
    size_t count, capacity;
};

/* Each behind the one before. Returns 0, -ENOMEM, -EBADMSG, or -EFBIG for too many. */
int tar_sparse_add(struct tar_sparse *sparse, int64_t offset, int64_t size);

/* Whether the pieces lie within a file, and have together the bytes that are stored. */
bool tar_sparse_fits(const struct tar_sparse *sparse, uint64_t file_size, uint64_t stored);

void tar_sparse_release(struct tar_sparse *sparse);

#endif
