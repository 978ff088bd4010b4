/* SPDX-License-Identifier: MIT */
/*
 * Registries take few layers, so that of a revision with many objects the small ones travel in
 * packs: a pack is the content of its objects, one behind the other. Their index is a text:
 *
 *     volt-pack-index 1
 *     pack <digest> <size>
 *     <digest> <size>              the objects of the pack
 *     end
 *
 * The digests of objects ascend from the first line to the last one, so that none is told twice;
 * the sizes of those of a pack are together that of the pack, so that each byte is of one object.
 */
#ifndef LIB_PACK_INDEX_H
#define LIB_PACK_INDEX_H

#include <volt-qemu/error.h>

#include "transfer/oci-blob.h"

/* pack-choice.c makes 128 at most. */
#define PACK_COUNT_MAX 256

struct packed_object {
    struct digest digest;
    uint64_t offset, size; /* in its pack */
    size_t pack;           /* the number of that */
};

struct pack_index {
    struct oci_blob *packs;
    struct packed_object *objects; /* by digest */
    size_t pack_count, object_count;
};

void pack_index_release(struct pack_index *index);
#define _cleanup_pack_index_ __attribute__((cleanup(pack_index_release)))

/* NULL if it is in no pack. */
const struct packed_object *pack_index_find(const struct pack_index *index,
                                            const struct digest *digest);

/* The text of it; NULL without memory. */
char *pack_index_to_text(const struct pack_index *index);

/* How large the text of one with so many objects can be. */
size_t pack_index_text_limit(size_t object_max);

/*
 * Read one. source: where it is from, for messages. Errors: VQEMU_ERR_MALFORMED, which names the
 * line; VQEMU_ERR_INVALID (reason "too-many-files").
 */
int pack_index_load(const char *text, size_t size, const char *source, size_t object_max,
                    struct pack_index *index, vqemu_error **error);

#endif
