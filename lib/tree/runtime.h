/* SPDX-License-Identifier: MIT */
#ifndef LIB_RUNTIME_H
#define LIB_RUNTIME_H

#include <volt-qemu/runtime.h>

#include "choice/arch.h"
#include "util/cleanup.h"

/* Where a QEMU and what belongs to it is: absolute paths, or NULL. */
struct runtime_paths {
    char *binary, *firmware_dir, *lib_dir, *module_dir, *loader;
};

/* A runtime without a store; the paths are copied. */
int runtime_new_of_paths(const vqemu_selection *selection, const struct runtime_paths *paths,
                         vqemu_runtime **runtime, vqemu_error **error);

const struct arch *runtime_arch(const vqemu_runtime *runtime);

DEFINE_CLEANUP(vqemu_runtime, runtime, vqemu_runtime_unref);
#define _cleanup_runtime_ _cleanup_(cleanup_runtime)

DEFINE_CLEANUP(vqemu_runtime_options, runtime_options, vqemu_runtime_options_free);
#define _cleanup_runtime_options_ _cleanup_(cleanup_runtime_options)

#endif
