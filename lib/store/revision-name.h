/* SPDX-License-Identifier: MIT */
/* How revisions are named: <profile>-<8 hex digits>, in refs/ with ".json" behind. */
#ifndef LIB_REVISION_NAME_H
#define LIB_REVISION_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include <volt-qemu/error.h>

#define REVISION_SUFFIX ".json"
#define REVISION_HASH_LENGTH 8 /* digits of the digest in its name */

/* The name of the revision of a profile that a manifest with this digest is; NULL without memory.
 */
char *revision_name_of(const char *profile, const char *digest);

/* The name of its file in refs/; NULL without memory. */
char *revision_file_name(const char *name);

/* The length of the profile in a name of so many bytes; 0 if that has another form. */
size_t revision_profile_part(const char *name, size_t length);

/* How many bytes of the name of a file in refs/ are that of the revision, or of its profile; 0 if
 * it is no revision's. */
size_t revision_name_length(const char *file_name);
size_t revision_profile_length(const char *file_name);

/* Whether a name has the form of a revision's, and the error if it has not. */
bool revision_is_name(const char *name);
int revision_check_name(const char *name, vqemu_error **error);

/* The same for a name that may also be that of a profile. */
int revision_check_any_name(const char *name, vqemu_error **error);

/*
 * Whether a name can be that of a profile: lower case letters, digits and "-", 63 at the most, and
 * not such that it could be taken for the name of a revision; and the error if it cannot.
 */
bool profile_is_name(const char *name);
int profile_check_name(const char *name, vqemu_error **error);

#endif
