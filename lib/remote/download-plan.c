/* SPDX-License-Identifier: MIT */
#include "remote/download-plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A request costs about as much as so many bytes. */
#define GAP_MAX ((uint64_t)32 * 1024)

void download_plan_release(struct download_plan *plan) {
    free(plan->parts);
    free(plan->ranges);
    free(plan->empty);
    *plan = (struct download_plan){0};
}

/* ---- what is missing ---- */

static int compare_places(const void *a, const void *b) {
    const struct oci_place *x = &((const struct download_part *)a)->place;
    const struct oci_place *y = &((const struct download_part *)b)->place;
    int order = strcmp(x->blob.digest.hex, y->blob.digest.hex);
    return order ? order : (x->offset > y->offset) - (x->offset < y->offset);
}

static void list_parts(struct download_plan *plan, const struct fetch *fetch,
                       const struct oci_manifest *oci) {
    for (size_t i = 0; i < vqemu_manifest_object_count(fetch->manifest); i++) {
        struct download_part *part = &plan->parts[plan->part_count];
        if (!fetch->missing[i])
            continue;
        if (oci_manifest_locate(oci, &manifest_object(fetch->manifest, i)->digest, &part->place))
            plan->parts[plan->part_count++].index = i;
        else
            plan->empty[plan->empty_count++] = i;
    }
    qsort(plan->parts, plan->part_count, sizeof *plan->parts, compare_places);
}

/* ---- what is asked for ---- */

static const struct oci_place *place_of(const struct download_plan *plan, size_t part) {
    return &plan->parts[part].place;
}

/* Where the parts of the same blob end. */
static size_t find_end(const struct download_plan *plan, size_t first) {
    size_t end = first + 1;
    while (end < plan->part_count &&
           digest_equal(&place_of(plan, first)->blob.digest, &place_of(plan, end)->blob.digest))
        end++;
    return end;
}

static void add_range(struct download_plan *plan, size_t first, size_t end, uint64_t offset,
                      uint64_t size) {
    plan->ranges[plan->range_count++] =
        (struct download_range){place_of(plan, first)->blob, offset, size, first, end - first};
    plan->size += size;
}

/* Of a blob of which less is missing than not. */
static void add_ranges(struct download_plan *plan, size_t first, size_t end) {
    while (first < end) {
        const struct oci_place *place = place_of(plan, first);
        uint64_t begin = place->offset, behind = begin + place->size;
        size_t next = first + 1;
        for (; next < end && place_of(plan, next)->offset - behind < GAP_MAX; next++)
            behind = place_of(plan, next)->offset + place_of(plan, next)->size;
        add_range(plan, first, next, begin, behind - begin);
        first = next;
    }
}

static void list_ranges(struct download_plan *plan) {
    for (size_t first = 0, end; first < plan->part_count; first = end) {
        uint64_t missing = 0, whole = place_of(plan, first)->blob.size;
        end = find_end(plan, first);
        for (size_t i = first; i < end; i++)
            missing += place_of(plan, i)->size;
        if (missing > whole / 2)
            add_range(plan, first, end, 0, whole);
        else
            add_ranges(plan, first, end);
    }
}

/* So that the last one to come is not the longest. */
static int compare_ranges(const void *a, const void *b) {
    const struct download_range *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return (x->first_part > y->first_part) - (x->first_part < y->first_part);
}

int download_plan_make(struct download_plan *plan, const struct fetch *fetch,
                       const struct oci_manifest *oci) {
    size_t count = vqemu_manifest_object_count(fetch->manifest);
    *plan = (struct download_plan){
        .parts = calloc(count + 1, sizeof *plan->parts),
        .ranges = calloc(count + 1, sizeof *plan->ranges),
        .empty = calloc(count + 1, sizeof *plan->empty),
    };
    if (!plan->parts || !plan->ranges || !plan->empty)
        return -ENOMEM;
    list_parts(plan, fetch, oci);
    list_ranges(plan);
    qsort(plan->ranges, plan->range_count, sizeof *plan->ranges, compare_ranges);
    return 0;
}
