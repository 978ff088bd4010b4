/* SPDX-License-Identifier: MIT */
/*
 * Where the bytes of a blob go that a request fetches: of all of it, or of a range. What was
 * received stays, so that the next try asks for the rest only; a server that cannot do that sends
 * the whole, of which what is not wanted is passed over.
 */
#ifndef LIB_SINK_H
#define LIB_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/answer.h"

enum sink_fault {
    SINK_FINE,
    SINK_ENOUGH,       /* all is there, and more comes that is not wanted */
    SINK_OTHER_SIZE,   /* than the blob has; told_size */
    SINK_TOO_LONG,     /* nor is it told how much it will be */
    SINK_TOO_SHORT,    /* also after all tries */
    SINK_OTHER_RANGE,  /* than was asked for */
    SINK_COMPRESSED,   /* though that was not asked for */
    SINK_WRITE_FAILED, /* system_errno */
};

struct sink {
    /* What is wanted: size bytes, 1 or more, from an offset on, of a blob of whole bytes. */
    uint64_t offset, size, whole;
    /* Take the next ones; forget all. Both return 0 or a negative errno. */
    int (*write)(void *context, const void *bytes, size_t size);
    int (*restart)(void *context);
    void *context;

    /* How far it is: */
    uint64_t received, farthest; /* before it was begun anew */
    enum sink_fault fault;
    int system_errno;
    uint64_t told_size;
    /* Of the answer under way: */
    bool has_begun;
    uint64_t to_skip;
};

/* The range to ask for: "N-M" in bytes; NULL for the whole blob. */
#define SINK_RANGE_SIZE 48
const char *sink_range(const struct sink *sink, char text[SINK_RANGE_SIZE]);

/* An answer is to come; then its bytes. False if no more of it is wanted: see fault. */
void sink_begin(struct sink *sink);
bool sink_take(struct sink *sink, const struct answer *answer, const void *bytes, size_t size);

/* Forget what was received, but not how far it was. Sets the fault if that fails. */
void sink_restart(struct sink *sink);

bool sink_is_full(const struct sink *sink);

/* Whether something else came than what is wanted. */
bool sink_was_misled(const struct sink *sink);

/* What is wrong, as a phrase behind "the host": "sends ...". */
#define SINK_FAULT_SIZE 160
const char *sink_describe(const struct sink *sink, char text[SINK_FAULT_SIZE]);

#endif
