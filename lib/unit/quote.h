/* SPDX-License-Identifier: MIT */
/*
 * What stands in a unit file, written so that systemd reads back the same bytes: systemd.syntax(7),
 * systemd.service(5), and where these say too little, systemd itself (version 252).
 */
#ifndef LIB_UNIT_QUOTE_H
#define LIB_UNIT_QUOTE_H

#include <stdbool.h>

#include "util/strbuf.h"

/* Whether systemd takes it for text: UTF-8 without noncharacters. */
bool unit_is_text(const char *text);

/*
 * A word of a command line or of Environment=. $ needs no escape in either: ExecStart= is written
 * with the prefix ":". Environment= must be text.
 */
void unit_add_word(struct strbuf *line, const char *word);

/* Free text to the end of the line, as of WorkingDirectory=. What cannot stand there becomes "?".
 */
void unit_add_text(struct strbuf *line, const char *text);

/* The same of what is only shown, Description=: "?" stands for what would deceive who reads it,
 * too.
 */
void unit_add_title(struct strbuf *line, const char *text);

/*
 * A path as a word of ReadWritePaths=, DeviceAllow= and their like, which take no C escapes.
 * Returns false, and adds nothing, if it cannot be written: control characters, what is no text,
 * or ".." in it.
 */
bool unit_add_path(struct strbuf *line, const char *path);

/* Whether systemd accepts a path as the program of a command line. */
bool unit_is_plain_program(const char *path);

/* Whether unit_add_text() can write a path into WorkingDirectory=, ListenStream= and their like. */
bool unit_is_plain_directory(const char *path);

#endif
