/* SPDX-License-Identifier: MIT */
#ifndef LIB_PROBE_H
#define LIB_PROBE_H

#include "base/progress.h"
#include "qemu/capabilities.h"

/* Ask the QEMU of a runtime what it can do. */
int probe(const vqemu_runtime *runtime, struct vqemu_progress *progress,
          vqemu_capabilities **capabilities, vqemu_error **error);

#endif
