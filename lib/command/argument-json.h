/* SPDX-License-Identifier: MIT */
/* Arguments and where they come from, as JSON. The first failure stays; after one, nothing is
 * written any more. */
#ifndef LIB_ARGUMENT_JSON_H
#define LIB_ARGUMENT_JSON_H

#include "base/json.h"
#include "command/origin.h"
#include "util/strbuf.h"

struct argument_writer {
    vqemu_error **error;
    int code;
    const char
        *way_out; /* for text that JSON cannot carry, behind the message: "; do this"; or "" */
};

/* The value is taken over. */
void argument_add(struct argument_writer *writer, json_t *object, const char *key, json_t *value);

/* index: of the argument that the text is in. */
void argument_add_text(struct argument_writer *writer, json_t *object, const char *key,
                       const char *text, size_t index);
/* The same; the buffer is taken over. */
void argument_add_buffer(struct argument_writer *writer, json_t *object, const char *key,
                         struct strbuf *text, size_t index);

/* "key" and "message", as far as they are known. */
void argument_add_origin(struct argument_writer *writer, json_t *object,
                         const struct origin *origin);

/* A new object at the end of an array; borrowed, and NULL if that failed, which the functions above
 * take. */
json_t *argument_append(struct argument_writer *writer, json_t *array);

#endif
