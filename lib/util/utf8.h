/* SPDX-License-Identifier: MIT */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/* Whether text is valid UTF-8: shortest form, no surrogates, nothing above U+10FFFF. */
bool utf8_is_valid(const char *text);

/* The length of the valid sequence at text, 1 to 4; 0 if there is none. text is not at its end. */
int utf8_sequence_length(const char *text);

/*
 * What would end a line, or reorder it on a screen: Unicode's C1 controls, separators of lines and
 * paragraphs, and its property Bidi_Control. Such text can pretend to be another.
 */
bool utf8_is_deceptive(uint32_t point);

/* The code point of such a sequence of a length; 0 if that is 0. */
uint32_t utf8_decode(const char *text, int length);

#endif
