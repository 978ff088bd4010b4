/* SPDX-License-Identifier: MIT */
/* Profiles beside the library's own: those that a manifest describes. */
#ifndef LIB_STORE_PROFILE_H
#define LIB_STORE_PROFILE_H

#include <stdbool.h>

#include <volt-qemu/ingest.h>
#include <volt-qemu/profile.h>

/* VQEMU_ERR_INVALID unless options say all that a profile needs, and nothing that the library knows
 * better. */
int profile_check_options(const vqemu_ingest_options *options, vqemu_error **error);

/*
 * The profile of a name as a manifest of it describes it, with one reference; the library's own if
 * it is one of these. VQEMU_ERR_INVALID for a manifest that does not describe one.
 */
int profile_of_manifest(const char *name, const vqemu_manifest *manifest, vqemu_profile **profile,
                        vqemu_error **error);

#endif
