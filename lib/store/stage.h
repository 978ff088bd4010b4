/* SPDX-License-Identifier: MIT */
/*
 * Objects on their way into a store: written and hashed in a directory of their own, made durable
 * together, then published, and a revision last of all.
 */
#ifndef LIB_STAGE_H
#define LIB_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "store/ingest-options.h"
#include "store/ingest-result.h"
#include "store/manifest.h"
#include "store/revision.h"
#include "store/store.h"
#include "store/verified.h"
#include "util/sparse.h"

/* Neighbouring objects share a directory, so that threads seldom work in the same one. */
#define STAGE_GROUP_SIZE 1024

/* How many neighbouring objects a thread should take at once. */
size_t stage_chunk(size_t count, unsigned threads);

struct stage {
    vqemu_store *store;
    int lock_fd; /* holds the store against collection */
    int tmp_fd, fd;
    char *name;
    size_t group_count; /* how many of its directories have been made */
    bool sync_each;
    struct vqemu_progress *progress; /* of who publishes; NULL for nobody */
    /* What was published that the store did not have intact: */
    size_t new_count;
    uint64_t new_bytes;
};

/* A file that is being written. */
struct staged_file {
    int fd;
    bool executable;
    struct digest_state state;
    uint64_t size;
    bool ends_in_hole; /* which its size has to make yet */
};

/* A staged object that is complete. */
struct staged {
    struct digest digest;
    struct verified file;
};

/*
 * Make a staging directory. count: how many objects will be staged at the most; 0 if that is not
 * known, then they are staged in the order of their numbers.
 */
int stage_open(struct stage *stage, vqemu_store *store, size_t count, vqemu_error **error);
/*
 * Hold the store against collection, before anything is looked for in it or published. Staging
 * itself, which can take long, does without.
 */
int stage_lock(struct stage *stage, struct vqemu_progress *progress, vqemu_error **error);
/* Let go of it again. */
void stage_unlock(struct stage *stage);
/* Also removes what was not published. For a stage that is all 0, too. */
void stage_close(struct stage *stage);
#define STAGE_EMPTY ((struct stage){.lock_fd = -1, .tmp_fd = -1, .fd = -1})

/* Begin, write and complete the object with a number. All return 0 or a negative errno. */
int stage_begin(struct stage *stage, size_t number, bool executable, struct staged_file *file);
int stage_write(struct staged_file *file, const void *bytes, size_t size);
int stage_complete(const struct stage *stage, struct staged_file *file, struct staged *staged);
/* Close it, complete or not. */
void stage_end(struct staged_file *file);
/* Open a completed one for reading. Returns a descriptor or a negative errno. */
int stage_reopen(const struct stage *stage, size_t number);
/*
 * Stage a copy of what a reader reads. size: of it when it was found to be allowed.
 * buffer: of DIGEST_READ_SIZE bytes. item: what progress calls it; its bytes are added to that.
 * Returns 0 or a negative errno: -ECANCELED if progress says so, -EFBIG if the file has grown
 * since; *reading_failed tells which side it was.
 */
int stage_copy(struct stage *stage, size_t number, struct sparse_reader from, uint64_t size,
               bool executable, unsigned char *buffer, const struct watch *watch, const char *item,
               struct staged *staged, bool *reading_failed);
/* Make it executable, if that was not known when it was begun. */
int stage_set_executable(const struct stage *stage, size_t number);
/* Remove a staged object that is not wanted. */
int stage_drop(const struct stage *stage, size_t number);

/* The error of a failed write into the stage; what stands for the source. */
int stage_failed(const struct stage *stage, int system_errno, const char *what,
                 vqemu_error **error);

/*
 * Make all staged objects durable; afterwards, publish each under its digest. If the store had an
 * intact one already, staged->file becomes that of it.
 */
int stage_sync(const struct stage *stage, vqemu_error **error);
int stage_publish(struct stage *stage, size_t number, struct staged *staged, const char *what,
                  vqemu_error **error);
/* Make the published objects durable. */
int stage_sync_objects(const struct stage *stage, vqemu_error **error);

/* What becomes of staged objects: a profile's manifest and a revision. */
struct stage_profile {
    const char *name;                    /* the profile */
    const char *source;                  /* where it comes from, for messages */
    const vqemu_ingest_options *options; /* may be NULL */
    const char *arch;                    /* that of its programs; NULL if it is not known */
    struct manifest_object *objects;
    struct staged *staged; /* for each object, in the order of their paths */
    size_t count;
    uint64_t total_size;
    /* The manifest and its text, if there is one already, or once it has been made: */
    vqemu_manifest *manifest;
    const char *text;     /* NULL for the text that vqemu_manifest_to_json() makes */
    vqemu_revision *same; /* a revision that says just that */
    char *abilities; /* found in its files, separated by commas; NULL if none were looked for */
};
void stage_release_profile(struct stage_profile *profile);

/* A manifest of it, validated. */
int stage_make_manifest(const struct stage_profile *profile, vqemu_call *call,
                        vqemu_manifest **manifest, vqemu_error **error);

/*
 * Make and validate the manifest, before anything is published. If the newest revision has the same
 * content and options give no time, that one is taken.
 */
int stage_describe_profile(const struct stage *stage, struct stage_profile *profile,
                           vqemu_call *call, vqemu_error **error);

/* After the objects: write the revision, tell what was put in, and remember that its objects have
 * been verified. */
int stage_publish_profile(const struct stage *stage, const struct stage_profile *profile,
                          vqemu_call *call, vqemu_ingest **ingest, vqemu_error **error);

#endif
