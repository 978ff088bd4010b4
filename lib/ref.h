/* SPDX-License-Identifier: MIT */
#ifndef LIB_REF_H
#define LIB_REF_H

#include <volt-qemu/ref.h>

#include "store.h"
#include "util/cleanup.h"

/* Write a manifest into the store as the ref <profile>-<first 8 digits of its digest>. */
int ref_publish(vqemu_store *store, const char *profile, vqemu_manifest *manifest, vqemu_ref **ref,
                vqemu_error **error);

DEFINE_CLEANUP(vqemu_ref, ref, vqemu_ref_unref);
DEFINE_CLEANUP(vqemu_ref_list, ref_list, vqemu_ref_list_free);
#define _cleanup_ref_ _cleanup_(cleanup_ref)
#define _cleanup_ref_list_ _cleanup_(cleanup_ref_list)

#endif
