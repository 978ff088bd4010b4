/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_REVISION_H
#define VOLT_QEMU_REVISION_H

#include <stddef.h>

#include <volt-qemu/error.h>
#include <volt-qemu/manifest.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A revision: a manifest under a name in a store, the file refs/<profile>-<8 hex digits>.json.
 * Immutable and reference counted; any number of threads may use it. Since 1.0.
 */
typedef struct vqemu_revision vqemu_revision;

/** One more reference; returns its argument. NULL is allowed. Since 1.0. */
vqemu_revision *vqemu_revision_ref(vqemu_revision *revision);

/** Release a reference; the last one frees the revision. NULL is allowed. Since 1.0. */
void vqemu_revision_unref(vqemu_revision *revision);

/** The revision's name: its file name without ".json", such as "kvm-linux-8e1e73bc". Borrowed.
 * Since 1.0. */
const char *vqemu_revision_name(const vqemu_revision *revision);

/** The part of the name before the last "-": the profile. Borrowed. Since 1.0. */
const char *vqemu_revision_profile_name(const vqemu_revision *revision);

/** The path of the revision's file, below the path that the store had when it was opened: it does
 * not follow a store that is renamed since. Borrowed. Since 1.0. */
const char *vqemu_revision_path(const vqemu_revision *revision);

/** The digest of the manifest, in hex; NULL if it could not be loaded. Borrowed. Since 1.0. */
const char *vqemu_revision_digest(const vqemu_revision *revision);

/** The manifest; NULL if it could not be loaded, see vqemu_revision_error(). Borrowed. Since 1.0.
 */
vqemu_manifest *vqemu_revision_manifest(const vqemu_revision *revision);

/** Why the manifest could not be loaded; NULL if it was. Only revisions of a list can have one: a
 * document that is broken has the reason "revision-broken" and, where that is known, a line; a file
 * that cannot be read has the code and errno of that. Borrowed: never to be freed. Since 1.0. */
const vqemu_error *vqemu_revision_error(const vqemu_revision *revision);

/**
 * When it came into the store, an RFC 3339 time in UTC: by the clock of the host that put it there,
 * and always after what had come before. A list is ordered by this. NULL where it was not written
 * down, as for what the reference system wrote, which takes its place by the time at which it says
 * that it was created. Borrowed. Since 1.0.
 */
const char *vqemu_revision_arrived_at(const vqemu_revision *revision);

/** A list of revisions. Immutable, one owner. Since 1.0. */
typedef struct vqemu_revision_list vqemu_revision_list;

/** How many revisions the list holds. Since 1.0. */
size_t vqemu_revision_list_count(const vqemu_revision_list *list);

/** The revision at an index; NULL beyond the count. Borrowed from the list. Since 1.0. */
vqemu_revision *vqemu_revision_list_at(const vqemu_revision_list *list, size_t index);

/** Free the list and its references. NULL is allowed. Since 1.0. */
void vqemu_revision_list_free(vqemu_revision_list *list);

#ifdef __cplusplus
}
#endif

#endif
