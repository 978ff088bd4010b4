/* SPDX-License-Identifier: MIT */
/* What staged objects can do and ask for, before anything of them is published. */
#ifndef LIB_STAGE_CLOSURE_H
#define LIB_STAGE_CLOSURE_H

#include "content/closure.h"
#include "store/stage.h"

/* The staged objects of a profile as files: open() is that of struct content_files, by the index of
 * an object. */
struct stage_files {
    int (*open)(void *context, size_t index);
    void *context;
};

/*
 * Describe a profile that has no manifest yet (stage_describe_profile()), and find its closure.
 * What a profile of its own can do is what its files have, if nobody says it; where that cannot be
 * told of any of it, nothing is said. VQEMU_ERR_INVALID, with the reason "not-whole", if it must be
 * whole and is not.
 */
int stage_examine_profile(const struct stage *stage, struct stage_profile *profile,
                          const struct stage_files *files, bool must_be_whole,
                          struct vqemu_progress *progress, vqemu_closure **closure,
                          vqemu_error **error);

#endif
