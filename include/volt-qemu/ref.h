/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_REF_H
#define VOLT_QEMU_REF_H

#include <stddef.h>

#include <volt-qemu/error.h>
#include <volt-qemu/manifest.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A ref: a manifest under a name in a store, the file refs/<profile>-<8 hex digits>.json.
 * Immutable and reference counted; any number of threads may use it. Since 1.0.
 */
typedef struct vqemu_ref vqemu_ref;

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_ref *vqemu_ref_ref(vqemu_ref *ref);

/** Release a reference; the last one frees the ref. NULL is allowed. Since 1.0. */
void vqemu_ref_unref(vqemu_ref *ref);

/** The ref's name: its file name without ".json", such as "kvm-linux-8e1e73bc". Borrowed.
 * Since 1.0. */
const char *vqemu_ref_name(const vqemu_ref *ref);

/** The part of the name before the last "-": the profile. Borrowed. Since 1.0. */
const char *vqemu_ref_profile(const vqemu_ref *ref);

/** The path of the ref's file. Borrowed. Since 1.0. */
const char *vqemu_ref_path(const vqemu_ref *ref);

/** The manifest; NULL if it could not be loaded, see vqemu_ref_problem(). Borrowed. Since 1.0. */
vqemu_manifest *vqemu_ref_manifest(const vqemu_ref *ref);

/** Why the manifest could not be loaded; NULL if it was. Borrowed. Since 1.0. */
const char *vqemu_ref_problem(const vqemu_ref *ref);

/** A list of refs. Immutable, one owner. Since 1.0. */
typedef struct vqemu_ref_list vqemu_ref_list;

/** How many refs the list holds. Since 1.0. */
size_t vqemu_ref_list_count(const vqemu_ref_list *list);

/** The ref at an index; NULL beyond the count. Borrowed from the list. Since 1.0. */
vqemu_ref *vqemu_ref_list_at(const vqemu_ref_list *list, size_t index);

/** Free the list and its references. NULL is allowed. Since 1.0. */
void vqemu_ref_list_free(vqemu_ref_list *list);

#ifdef __cplusplus
}
#endif

#endif
