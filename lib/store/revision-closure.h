/* SPDX-License-Identifier: MIT */
/* What the files of a manifest ask for, wherever these are. */
#ifndef LIB_REVISION_CLOSURE_H
#define LIB_REVISION_CLOSURE_H

#include "content/closure.h"
#include "store/manifest.h"
#include "store/revision.h"

/* open: of a file by its index in the manifest, as in struct content_files. */
int manifest_closure(const char *profile, const vqemu_manifest *manifest,
                     int (*open)(void *context, size_t index), void *context,
                     struct vqemu_progress *progress, vqemu_closure **closure, vqemu_error **error);

/* Of a revision that could be loaded, by its objects. */
int revision_closure(const vqemu_store *store, const vqemu_revision *revision,
                     struct vqemu_progress *progress, vqemu_closure **closure, vqemu_error **error);

#endif
