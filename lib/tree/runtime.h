/* SPDX-License-Identifier: MIT */
#ifndef LIB_RUNTIME_H
#define LIB_RUNTIME_H

#include <volt-qemu/runtime.h>

#include "choice/arch.h"
#include "util/cleanup.h"

const struct arch *runtime_arch(const vqemu_runtime *runtime);

DEFINE_CLEANUP(vqemu_runtime, runtime, vqemu_runtime_unref);
#define _cleanup_runtime_ _cleanup_(cleanup_runtime)

#endif
