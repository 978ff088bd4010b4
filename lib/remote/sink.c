/* SPDX-License-Identifier: MIT */
#include "remote/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/word.h"

const char *sink_range(const struct sink *sink, char text[SINK_RANGE_SIZE]) {
    uint64_t first = sink->offset + sink->received, last = sink->offset + sink->size - 1;
    if (first == 0 && sink->size == sink->whole)
        return NULL;
    snprintf(text, SINK_RANGE_SIZE, "%" PRIu64 "-%" PRIu64, first, last);
    return text;
}

void sink_begin(struct sink *sink) {
    sink->has_begun = false;
    sink->fault = SINK_FINE;
    sink->to_skip = 0;
}

bool sink_is_full(const struct sink *sink) {
    return sink->received == sink->size;
}

bool sink_was_misled(const struct sink *sink) {
    return sink->fault != SINK_FINE && sink->fault != SINK_ENOUGH &&
           sink->fault != SINK_WRITE_FAILED;
}

/* ---- the beginning of an answer ---- */

static void fail(struct sink *sink, enum sink_fault fault) {
    if (sink->fault == SINK_FINE)
        sink->fault = fault;
}

void sink_restart(struct sink *sink) {
    int r = sink->received > 0 ? sink->restart(sink->context) : 0;
    sink->received = 0;
    if (r < 0) {
        sink->system_errno = -r;
        fail(sink, SINK_WRITE_FAILED);
    }
}

/* "bytes 0-99/1000", or "bytes 0-99/" and a star. */
static bool is_range_asked_for(const struct sink *sink, const char *header) {
    char asked[SINK_RANGE_SIZE], expected[2 * SINK_RANGE_SIZE];
    const char *range = sink_range(sink, asked);
    snprintf(expected, sizeof expected, "bytes %s/", range ? range : "");
    if (!range || !header || !begins_folded(header, expected))
        return false;
    const char *whole = header + strlen(expected);
    snprintf(expected, sizeof expected, "%" PRIu64, sink->whole);
    return strcmp(whole, expected) == 0 || strcmp(whole, "*") == 0;
}

/* It is all of the blob. */
static void begin_whole(struct sink *sink, const struct answer *answer) {
    const char *length = answer_header(answer, "Content-Length", 0);
    sink->told_size = length ? strtoull(length, NULL, 10) : sink->whole;
    if (sink->told_size != sink->whole)
        fail(sink, SINK_OTHER_SIZE);
    sink_restart(sink);
    sink->to_skip = sink->offset;
}

static void begin_answer(struct sink *sink, const struct answer *answer) {
    const char *encoding = answer_header(answer, "Content-Encoding", 0);
    sink->has_begun = true;
    if (encoding && *encoding && compare_folded(encoding, "identity") != 0)
        fail(sink, SINK_COMPRESSED);
    else if (answer->status != 206)
        begin_whole(sink, answer);
    else if (!is_range_asked_for(sink, answer_header(answer, "Content-Range", 0)))
        fail(sink, SINK_OTHER_RANGE);
}

/* ---- its bytes ---- */

static void write_bytes(struct sink *sink, const char *bytes, size_t size) {
    int r = size > 0 ? sink->write(sink->context, bytes, size) : 0;
    if (r < 0) {
        sink->system_errno = -r;
        fail(sink, SINK_WRITE_FAILED);
        return;
    }
    sink->received += size;
    if (sink->received > sink->farthest)
        sink->farthest = sink->received;
}

bool sink_take(struct sink *sink, const struct answer *answer, const void *bytes, size_t size) {
    if (!sink->has_begun)
        begin_answer(sink, answer);
    if (sink->fault != SINK_FINE)
        return false;
    size_t skipped = size < sink->to_skip ? size : (size_t)sink->to_skip;
    uint64_t room = sink->size - sink->received;
    size_t left = size - skipped, taken = left < room ? left : (size_t)room;
    sink->to_skip -= skipped;
    write_bytes(sink, (const char *)bytes + skipped, taken);
    if (taken < left)
        fail(sink, answer->status != 206 && sink->offset + sink->size < sink->whole
                       ? SINK_ENOUGH
                       : SINK_TOO_LONG);
    return sink->fault == SINK_FINE;
}

const char *sink_describe(const struct sink *sink, char text[SINK_FAULT_SIZE]) {
    switch (sink->fault) {
    case SINK_OTHER_SIZE:
        snprintf(text, SINK_FAULT_SIZE, "sends %" PRIu64 " bytes instead of %" PRIu64,
                 sink->told_size, sink->whole);
        return text;
    case SINK_TOO_LONG:
        snprintf(text, SINK_FAULT_SIZE, "sends more than %" PRIu64 " bytes", sink->size);
        return text;
    case SINK_TOO_SHORT:
        snprintf(text, SINK_FAULT_SIZE, "sends %" PRIu64 " bytes instead of %" PRIu64,
                 sink->received, sink->size);
        return text;
    case SINK_OTHER_RANGE:
        return "sends another range than it was asked for";
    case SINK_COMPRESSED:
        return "sends it compressed, though nobody asked for that";
    default:
        return "sends something else";
    }
}
