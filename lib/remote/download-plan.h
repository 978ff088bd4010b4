/* SPDX-License-Identifier: MIT */
/*
 * What is asked for, so that objects which are missing come: whole blobs, and of packs what is
 * worth it: all of a pack when more than half of it is missing, else ranges, with what is between
 * two of them if that is less than a request costs.
 */
#ifndef LIB_DOWNLOAD_PLAN_H
#define LIB_DOWNLOAD_PLAN_H

#include "transfer/fetch.h"
#include "transfer/oci-manifest.h"

/* A missing object in a blob. */
struct download_part {
    struct oci_place place;
    size_t index; /* of the object in the manifest */
};

/* What one request asks for. */
struct download_range {
    struct oci_blob blob;
    uint64_t offset, size;
    size_t first_part, part_count; /* by their offsets */
};

struct download_plan {
    struct download_part *parts;
    struct download_range *ranges; /* largest first */
    size_t part_count, range_count;
    size_t *empty; /* missing objects that are empty, and are in no blob */
    size_t empty_count;
    uint64_t size; /* of all ranges */
};

/* Made of what fetch_find_missing() has found. Returns 0 or -ENOMEM. */
int download_plan_make(struct download_plan *plan, const struct fetch *fetch,
                       const struct oci_manifest *oci);
void download_plan_release(struct download_plan *plan);
#define _cleanup_download_plan_ __attribute__((cleanup(download_plan_release)))

#endif
