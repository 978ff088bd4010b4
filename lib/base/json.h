/* SPDX-License-Identifier: MIT */
/* Strict JSON on top of jansson, with the source and position of a fault in the message. */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stddef.h>

#include <jansson.h>
#include <volt-qemu/call.h>
#include <volt-qemu/error.h>

#include "util/cleanup.h"

/*
 * Parse one JSON object. Refused: duplicate keys, data after the object, nesting deeper than 16,
 * NUL characters, text that is not UTF-8, numbers beyond 64 bits. source stands for the document in
 * messages. The error is VQEMU_ERR_MALFORMED, with the line; for a key that is there twice or whose
 * value cannot be, also the key, spelled "disks[0].file".
 */
int json_parse_object(const char *text, size_t size, const char *source, json_t **object,
                      vqemu_error **error);

/* Read a whole descriptor of at most limit bytes, for json_parse_object(). */
int json_read_fd(int fd, const char *source, size_t limit, char **text, size_t *size,
                 vqemu_error **error);

/* The same, for what may be a pipe: the caller can give up. */
int json_read_pipe(int fd, const char *source, size_t limit, vqemu_call *call, char **text,
                   size_t *size, vqemu_error **error);

/* Open a regular file for json_read_fd(). */
int json_open_file(const char *path, int *fd, vqemu_error **error);

/* By this key editors find what completes and checks a document. */
#define JSON_SCHEMA_KEY "$schema"

/*
 * Documents that people write: objects of at most 1 MiB of text, in which "$schema", which must be
 * a string, is passed over. A value that cannot be is VQEMU_ERR_INVALID here.
 */
int json_parse_document(const char *text, size_t size, const char *source, json_t **document,
                        vqemu_error **error);

/* The text of such a document, from a regular file; owned by the caller. */
int json_read_document(const char *path, char **text, size_t *size, vqemu_error **error);

/* The text of a member; "" if there is none, or it is no string. Borrowed. */
const char *json_text(const json_t *object, const char *key);

/*
 * The JSON text of a value, ending in a newline; owned by the caller, freed by free().
 */
int json_to_text(const json_t *value, char **text, vqemu_error **error);

/* The same on one line, without a newline; the value can be a string or number as well. */
int json_to_line(const json_t *value, char **text, vqemu_error **error);

DEFINE_CLEANUP(json_t, json, json_decref);
#define _cleanup_json_ _cleanup_(cleanup_json)

#endif
