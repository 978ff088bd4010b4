/* SPDX-License-Identifier: MIT */
#ifndef LIB_JSON_KEY_H
#define LIB_JSON_KEY_H

#include <stddef.h>

#define JSON_DEPTH_MAX 16 /* of the objects and arrays of a text */

/*
 * The key of what a JSON text ends with, as in "disks[0].file": the text is good as far as it goes,
 * and no deeper than JSON_DEPTH_MAX. Keys are spelled as they are written, with their escapes. ""
 * if that is in no object or array. Owned by the caller; NULL without memory.
 */
char *json_key_at_end(const char *text, size_t size);

/* Where the string that begins at a quote ends: behind its other quote, or at the text's end. */
const char *json_string_end(const char *text, const char *end);

#endif
