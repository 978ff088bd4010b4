/* SPDX-License-Identifier: MIT */
/* What the answers of a revision's program depend on: itself, and all that it and its loader can
 * load. */
#ifndef LIB_PROGRAM_PARTS_H
#define LIB_PROGRAM_PARTS_H

#include "store/manifest.h"

/* The digest of them all. Returns 1; 0 if there is no such program, a path in the tree; or -ENOMEM.
 */
int program_parts_digest(const vqemu_manifest *manifest, const char *program,
                         struct digest *digest);

/* Those of all programs of a revision. Returns 0 or -ENOMEM. */
int program_parts_add_all(const vqemu_manifest *manifest, struct digest_set *set);

#endif
