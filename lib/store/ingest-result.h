/* SPDX-License-Identifier: MIT */
/* What was put into a store. */
#ifndef LIB_INGEST_RESULT_H
#define LIB_INGEST_RESULT_H

#include <volt-qemu/ingest.h>

#include "content/closure.h"
#include "util/cleanup.h"

struct vqemu_ingest {
    vqemu_revision *revision;
    vqemu_revision *displaced; /* the one that was used before; NULL if that is still used */
    char *current;          /* the name of the one that is used now; NULL if that cannot be told */
    vqemu_closure *closure; /* NULL where it was not looked for */
    bool is_new;
    size_t object_count, new_object_count;
    uint64_t bytes, new_bytes;
};

DEFINE_CLEANUP(vqemu_ingest, ingest, vqemu_ingest_free);
#define _cleanup_ingest_ _cleanup_(cleanup_ingest)

#endif
