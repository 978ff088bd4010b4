/* SPDX-License-Identifier: MIT */
/* The inside of a manifest, for the files that read, write and answer it. */
#ifndef LIB_MANIFEST_PARTS_H
#define LIB_MANIFEST_PARTS_H

#include <stdatomic.h>
#include <time.h>

#include <volt-qemu/manifest.h>

#include "base/digest.h"
#include "base/json.h"

/* In the order in which they are written. */
enum field {
    NAME,
    CREATED_AT,
    PROFILE,
    QEMU_VERSION,
    BUILD_DATE,
    BUILD_HOST,
    ARCH,
    DESCRIPTION,
    ACCEL,
    FIELD_COUNT
};

extern const char *const manifest_field_keys[FIELD_COUNT];

/* Fields that are lists of words, likewise. */
enum words { ABILITIES, GUESTS, WORDS_COUNT };

struct vqemu_manifest {
    atomic_uint references;
    struct digest digest;
    char *fields[FIELD_COUNT];  /* NULL where absent */
    json_t *words[WORDS_COUNT]; /* likewise */
    struct timespec created_at;
    int64_t total_bytes;             /* -1 where absent */
    struct manifest_object *objects; /* sorted by path */
    size_t object_count;
    char *text;      /* where the paths lie; NULL if each is allocated */
    json_t *unknown; /* the fields that this library does not know */
};

#endif
