/* SPDX-License-Identifier: MIT */
#include "transfer/tar-sparse.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t end_of(const struct tar_piece *piece) {
    return piece->offset + piece->size;
}

static int grow(struct tar_sparse *sparse) {
    size_t capacity = sparse->capacity ? 2 * sparse->capacity : 16;
    struct tar_piece *pieces = realloc(sparse->pieces, capacity * sizeof *pieces);
    if (!pieces)
        return -ENOMEM;
    sparse->pieces = pieces;
    sparse->capacity = capacity;
    return 0;
}

int tar_sparse_add(struct tar_sparse *sparse, int64_t offset, int64_t size) {
    uint64_t end = sparse->count > 0 ? end_of(&sparse->pieces[sparse->count - 1]) : 0;
    if (offset < 0 || size < 0 || offset > INT64_MAX - size || (uint64_t)offset < end)
        return -EBADMSG;
    if (sparse->count == TAR_PIECES_MAX)
        return -EFBIG;
    int r = sparse->count == sparse->capacity ? grow(sparse) : 0;
    if (r == 0)
        sparse->pieces[sparse->count++] = (struct tar_piece){(uint64_t)offset, (uint64_t)size};
    return r;
}

bool tar_sparse_fits(const struct tar_sparse *sparse, uint64_t file_size, uint64_t stored) {
    uint64_t sum = 0; /* of what does not overlap, so that it cannot overflow */
    for (size_t i = 0; i < sparse->count; i++)
        sum += sparse->pieces[i].size;
    return sum == stored &&
           (sparse->count == 0 || end_of(&sparse->pieces[sparse->count - 1]) <= file_size);
}

void tar_sparse_release(struct tar_sparse *sparse) {
    free(sparse->pieces);
    *sparse = (struct tar_sparse){0};
}
