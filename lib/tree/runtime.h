/* SPDX-License-Identifier: MIT */
#ifndef LIB_RUNTIME_H
#define LIB_RUNTIME_H

#include <stdatomic.h>

#include <volt-qemu/runtime.h>

#include "base/digest.h"
#include "choice/arch.h"
#include "tree/stamp.h"
#include "util/cleanup.h"

struct vqemu_runtime {
    atomic_uint references;
    vqemu_profile *profile;
    const struct arch *arch;
    int32_t vhost_net; /* of the host that it was selected for: enum vqemu_vhost_net_state */
    char *binary, *firmware_dir, *lib_dir, *module_dir, *loader;
    /* Only of a runtime from a store: */
    char *tree, *revision;
    char *manifest_path;  /* NULL for one that was reopened */
    uint32_t store_flags; /* VQEMU_STORE_ALLOW_OTHERS, if that was used */
    struct digest digest; /* of the manifest; "" for one described by hand */
    int lease_fd;         /* holds a shared flock on the tree */
};

/* With one reference and no paths; NULL without memory. */
vqemu_runtime *runtime_alloc(vqemu_profile *profile, const struct arch *arch);

/* The paths in a tree; the digest is set. -ENOMEM without memory. */
int runtime_set_paths(vqemu_runtime *runtime, const char *trees_path, const struct layout *layout);

/* Where a QEMU and what belongs to it is: absolute paths, or NULL. */
struct runtime_paths {
    char *binary, *firmware_dir, *lib_dir, *module_dir, *loader;
};

/* A runtime without a store; the paths are copied. */
int runtime_new_of_paths(const vqemu_selection *selection, const struct runtime_paths *paths,
                         vqemu_runtime **runtime, vqemu_error **error);

/*
 * A runtime that was resolved before, perhaps by another process: lease its tree again. Nothing is
 * assembled. store_flags: VQEMU_STORE_ALLOW_OTHERS, if it was resolved so. VQEMU_ERR_CHANGED if the
 * tree is gone, or another one; VQEMU_ERR_REFUSED if others can change it.
 */
int runtime_reopen(vqemu_profile *profile, const struct arch *arch, const char *tree,
                   const char *revision, uint32_t store_flags, struct vqemu_progress *progress,
                   vqemu_runtime **runtime, vqemu_error **error);

const struct arch *runtime_arch(const vqemu_runtime *runtime);

DEFINE_CLEANUP(vqemu_runtime, runtime, vqemu_runtime_unref);
#define _cleanup_runtime_ _cleanup_(cleanup_runtime)

DEFINE_CLEANUP(vqemu_runtime_options, runtime_options, vqemu_runtime_options_free);
#define _cleanup_runtime_options_ _cleanup_(cleanup_runtime_options)

#endif
