/* SPDX-License-Identifier: MIT */
/*
 * Takes a JSON document apart whose structure is known. The first fault is kept, and all that comes
 * after it does nothing, so that it is looked for once, at the end.
 */
#ifndef LIB_READER_H
#define LIB_READER_H

#include "base/json.h"
#include "base/progress.h"
#include "util/strv.h"

struct reader {
    const char *source;              /* the document in messages */
    struct vqemu_progress *progress; /* for what is waited for; may be NULL */
    vqemu_error **error;
    int code;
};

enum reader_kind {
    READ_TEXT,     /* any string */
    READ_PATH,     /* an absolute path */
    READ_OPTIONAL, /* an absolute path that may be missing */
};

/* Something is wrong with the value of a key: "runtime.tree". Returns the code. */
int reader_fault(struct reader *reader, const char *key, const char *wanted);

/* The value of a key, one of a list of words, is none that this version knows. */
void reader_unknown_word(struct reader *reader, const char *key, const char *word);

/* Only these keys, ended by NULL, may be in an object. key: that of the object, "" for the root. */
void reader_only(struct reader *reader, const char *key, json_t *object, ...)
    __attribute__((sentinel));

/* The member of an object. where: its key in messages. An empty object or array, borrowed, if there
 * is none. */
json_t *reader_object(struct reader *reader, json_t *object, const char *key, const char *where);
json_t *reader_array(struct reader *reader, json_t *object, const char *key, const char *where);

/* Borrowed; NULL if it is missing. */
const char *reader_text(struct reader *reader, json_t *object, const char *key, const char *where,
                        enum reader_kind kind);
/* The same as a copy. */
char *reader_copy(struct reader *reader, json_t *object, const char *key, const char *where,
                  enum reader_kind kind);

void reader_strings(struct reader *reader, json_t *object, const char *key, const char *where,
                    enum reader_kind kind, struct strv *strings);

/* Memory is short. */
void reader_no_memory(struct reader *reader);

#endif
