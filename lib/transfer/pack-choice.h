/* SPDX-License-Identifier: MIT */
/*
 * Which objects of an OCI manifest travel in packs: none, where all are layers that a registry
 * takes. Else those over 256 KiB stay layers, the largest first, up to half of what is allowed, and
 * the others go by the first bits of their digests into as many packs as keep them at about 4 MiB.
 * So a pack of the next version is the same where no object of it is another.
 */
#ifndef LIB_PACK_CHOICE_H
#define LIB_PACK_CHOICE_H

#include "transfer/oci-manifest.h"

/*
 * Move objects of the manifest, which are by digest and not empty, into its packs, whose digests
 * are not known yet. layer_max: how many layers it may have. revision: its name.
 *
 * VQEMU_ERR_INVALID (reason "too-many-layers"): not even one pack is allowed.
 */
int pack_choose(struct oci_manifest *manifest, size_t layer_max, const char *revision,
                vqemu_error **error);

#endif
