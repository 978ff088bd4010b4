/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_MANIFEST_H
#define VOLT_QEMU_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include <volt-qemu/call.h>
#include <volt-qemu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A validated manifest: the list of a profile's files and the digests of their content.
 *
 * Hostile or broken JSON never becomes one. Loading refuses duplicate keys, data after the
 * document, nesting deeper than 16, digests that are not 64 lowercase hex digits, and paths that
 * are absolute, over 1024 bytes or 16 components, have a component that is empty, ".", ".." or over
 * 255 bytes, hold a backslash or a control byte, name a file below another file, or differ from
 * another only in the case of ASCII letters. docs/on-disk-format.md has the whole list.
 *
 * Immutable and reference counted; any number of threads may use it. Since 1.0.
 */
typedef struct vqemu_manifest vqemu_manifest;

/**
 * Load a manifest from a file.
 *
 * path: a regular file. flags: 0. call: may be NULL; it tells by VQEMU_CALL_MAX_OBJECTS how many
 * objects are accepted. The JSON text may have 4 MiB for each 10,000 of these, and 4 MiB at least.
 * On success the caller releases *manifest with vqemu_manifest_unref().
 *
 * Errors: VQEMU_ERR_MALFORMED (the message names the file and the line or key),
 * VQEMU_ERR_NOT_FOUND, VQEMU_ERR_INVALID (not a regular file), VQEMU_ERR_CANCELLED,
 * VQEMU_ERR_TIMEOUT, VQEMU_ERR_USAGE, VQEMU_ERR_SYSTEM, VQEMU_ERR_NO_MEMORY. Safe from any thread.
 * Since 1.0.
 */
int vqemu_manifest_load_file(const char *path, uint32_t flags, vqemu_call *call,
                             vqemu_manifest **manifest, vqemu_error **error);

/**
 * Load a manifest from a descriptor of a regular file, pipe or socket, read from its current offset
 * to its end. The descriptor stays open. name stands for the source in messages; NULL means
 * "manifest". Otherwise like vqemu_manifest_load_file(). Since 1.0.
 */
int vqemu_manifest_load_fd(int fd, const char *name, uint32_t flags, vqemu_call *call,
                           vqemu_manifest **manifest, vqemu_error **error);

/**
 * Load a manifest from size bytes of JSON text in memory; no NUL is needed at the end. name stands
 * for the source in messages; NULL means "manifest". Otherwise like vqemu_manifest_load_file().
 * Since 1.0.
 */
int vqemu_manifest_load_memory(const void *text, size_t size, const char *name, uint32_t flags,
                               vqemu_call *call, vqemu_manifest **manifest, vqemu_error **error);

/** One more reference to a manifest; returns its argument. NULL is allowed. Since 1.0. */
vqemu_manifest *vqemu_manifest_ref(vqemu_manifest *manifest);

/** Release a reference; the last one frees the manifest. NULL is allowed. Since 1.0. */
void vqemu_manifest_unref(vqemu_manifest *manifest);

/** The digest of the JSON text the manifest was loaded from, in hex digits; do not size buffers by
 * it. Borrowed. Since 1.0. */
const char *vqemu_manifest_digest(const vqemu_manifest *manifest);

/* ---- fields that are strings, by key ---- */

/** What the manifest calls itself. Always there. Since 1.0. */
#define VQEMU_MANIFEST_NAME "name"

/** When it was made: an RFC 3339 time as it stands in the text. Always there. Since 1.0. */
#define VQEMU_MANIFEST_CREATED_AT "created_at"

/** The name of the profile. Since 1.0. */
#define VQEMU_MANIFEST_PROFILE "profile"

/** The version of QEMU. Since 1.0. */
#define VQEMU_MANIFEST_QEMU_VERSION "qemu_version"

/** When QEMU was built. Since 1.0. */
#define VQEMU_MANIFEST_BUILD_DATE "build_date"

/** Where QEMU was built. Since 1.0. */
#define VQEMU_MANIFEST_BUILD_HOST "build_host"

/** The architecture the programs run on. Since 1.0. */
#define VQEMU_MANIFEST_ARCH "arch"

/** What the profile is for, in one line for people. Since 1.0. */
#define VQEMU_MANIFEST_DESCRIPTION "description"

/** By which a profile is described that is not one of the library's own: the accelerator, "kvm" or
 * "tcg". Since 1.0. */
#define VQEMU_MANIFEST_ACCEL "accel"

/** A field by its key: one of the macros above. NULL if the manifest does not have it, and for any
 * other key. Borrowed. Since 1.0. */
const char *vqemu_manifest_string(const vqemu_manifest *manifest, const char *key);

/* ---- other fields ---- */

/** The optional field "abilities": an OR of enum vqemu_ability. Names that this version does not
 * know are passed over. Since 1.0. */
uint64_t vqemu_manifest_abilities(const vqemu_manifest *manifest);

/** How many guest architectures the optional field "guests" has. Since 1.0. */
size_t vqemu_manifest_guest_count(const vqemu_manifest *manifest);

/** One of them; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_manifest_guest_at(const vqemu_manifest *manifest, size_t index);

/** The optional field "total_bytes", the sum of all file sizes; -1 if absent. Since 1.0. */
int64_t vqemu_manifest_total_bytes(const vqemu_manifest *manifest);

/** How many objects (files) the manifest lists. Since 1.0. */
size_t vqemu_manifest_object_count(const vqemu_manifest *manifest);

/**
 * The path of an object, relative to the profile's directory. Objects are sorted by path, bytewise.
 * NULL beyond the count. Borrowed. Since 1.0.
 */
const char *vqemu_manifest_object_path(const vqemu_manifest *manifest, size_t index);

/** The digest of an object, in hex digits; do not size buffers by it. NULL beyond the count.
 * Borrowed. Since 1.0. */
const char *vqemu_manifest_object_digest(const vqemu_manifest *manifest, size_t index);

/** The mode the manifest gives an object, such as 0755; 0 if it gives none. Since 1.0. */
uint32_t vqemu_manifest_object_mode(const vqemu_manifest *manifest, size_t index);

/** The index of the object at this exact path, or -1. Since 1.0. */
int64_t vqemu_manifest_find(const vqemu_manifest *manifest, const char *path);

/** How many objects lie below a directory of the profile, such as "bin", at any depth. A path
 * without a slash at its end. 0 for NULL. Since 1.0. */
size_t vqemu_manifest_count_below(const vqemu_manifest *manifest, const char *directory);

/**
 * The manifest as JSON text, ending in a newline: the fields of this library first, in a fixed
 * order, then the fields it does not know, as they were loaded. Text written by this function and
 * loaded again gives the same text. The caller frees *text with vqemu_free().
 * flags: 0.
 *
 * Errors: VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY. Since 1.0.
 */
int vqemu_manifest_to_json(const vqemu_manifest *manifest, uint32_t flags, char **text,
                           vqemu_error **error);

/**
 * Write that text to a file, atomically and durably: a temporary file beside it is written, synced
 * and renamed over it. The file gets mode 0644. flags: 0.
 *
 * Errors: VQEMU_ERR_SYSTEM, VQEMU_ERR_USAGE, VQEMU_ERR_NO_MEMORY; what was at path before is still
 * there then. Since 1.0.
 */
int vqemu_manifest_write_file(const vqemu_manifest *manifest, const char *path, uint32_t flags,
                              vqemu_error **error);

#ifdef __cplusplus
}
#endif

#endif
