/* SPDX-License-Identifier: MIT */
/*
 * Objects of a manifest that a store lacks, or has damaged, come from elsewhere: each is verified
 * on the way, and the revision is published last. What differs is where they come from.
 */
#ifndef LIB_FETCH_H
#define LIB_FETCH_H

#include <stdatomic.h>

#include "store/stage.h"
#include "trust/signature-set.h"

/* The content of an object: a file, or a part of one. */
struct fetch_content {
    int fd;
    bool is_part;
    uint64_t offset, size; /* of that */
};

/* Where objects come from. The errors are those of people who look there. */
struct fetch_source {
    int (*open)(void *context, const struct manifest_object *object, struct fetch_content *content,
                vqemu_error **error);
    /* It cannot be read, or is not what its digest says. */
    int (*read_failed)(void *context, const struct manifest_object *object, int system_errno,
                       vqemu_error **error);
    int (*damaged)(void *context, const struct manifest_object *object, vqemu_error **error);
    void *context;
    const char *name; /* of what is fetched, for messages */
};

/* Objects under way. */
struct fetch {
    vqemu_store *store; /* that they come to */
    vqemu_manifest *manifest;
    const struct fetch_source *source;
    const vqemu_trust *trust; /* of the caller, beside the store's; or NULL */
    struct stage stage;       /* also holds the lock of the store */
    struct verified *known;   /* what the store has verified already */
    struct staged *staged;    /* for each object of the manifest */
    bool *travels;            /* likewise: it is staged */
    bool *missing;   /* likewise, of the first object with a content: fetch_find_missing() */
    bool only_looks; /* damage that is found is not marked */
    size_t *owner;   /* likewise: the first object with the same content */
    unsigned threads;
    unsigned char *buffers;
    atomic_uint_least64_t size; /* of what travels */
    struct vqemu_progress *progress;
};

/* Of a staged object without a mode in the manifest, its content says whether it is a program. 0 or
 * a negative errno. */
int fetch_set_mode(const struct fetch *fetch, size_t index);

/* Whether the call allows so many objects. */
int fetch_check_count(const struct fetch *fetch, vqemu_error **error);

/* With a stage that is open and locked: stage all objects that are missing. step: what progress
 * calls it. */
int fetch_objects(struct fetch *fetch, const char *step, vqemu_error **error);

/*
 * Instead of fetch_objects(), for who stages them in a way of his own, without a source: which ones
 * are missing. Once more, with the lock, it only looks closely at what has changed.
 */
int fetch_find_missing(struct fetch *fetch, vqemu_error **error);
/* An object was staged under its number and is what its digest says. */
void fetch_note_staged(struct fetch *fetch, size_t index);
/* Publish what is staged so far, with the lock. */
int fetch_publish_objects(struct fetch *fetch, vqemu_error **error);

/* Open one for reading, staged or there before; context is the fetch. A descriptor or a negative
 * errno. */
int fetch_open_object(void *context, size_t index);

/* Publish them, and the signatures, then the revision. text: that of the manifest. */
int fetch_publish(struct fetch *fetch, const char *profile, const char *text,
                  const struct signature_set *signatures, vqemu_ingest **ingest,
                  vqemu_error **error);

void fetch_release(struct fetch *fetch);

#endif
