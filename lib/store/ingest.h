/* SPDX-License-Identifier: MIT */
/* What all ways into a store ask of a profile. */
#ifndef LIB_INGEST_H
#define LIB_INGEST_H

#include <stdbool.h>

#include "base/elf-file.h"
#include "store/manifest.h"

/* VQEMU_ERR_INVALID if no object is a QEMU program. */
int ingest_require_program(const struct manifest_object *objects, size_t count, const char *source,
                           vqemu_error **error);

/* The architecture that a program is built for; NULL if the file is none, or one that is not known.
 * Returns 0 or the error of a read. */
int ingest_find_arch(const char *path, int fd, const char **arch);

#endif
