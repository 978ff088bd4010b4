/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions for the patterns of properties. regexec() calls what it has no memory for a
 * mismatch, and takes bytes for what the caller's locale says they are.
 */
#ifndef UTIL_PATTERN_H
#define UTIL_PATTERN_H

#include <stdbool.h>

/*
 * Whether the whole text matches "^...$" of literal bytes, [classes], [^classes], (groups|of
 * alternatives), {m}, {m,n} and *. There are no escapes, and nothing is tried twice: a part takes
 * as much as it can, and what follows must not need any of that.
 */
bool pattern_matches(const char *pattern, const char *text);

#endif
