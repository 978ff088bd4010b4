/* SPDX-License-Identifier: MIT */
/* Bytes of a blob that come in pieces: whole, as ranges, again, and wrong. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "remote/sink.h"
#include "run.h"

#define BLOB "0123456789"

/* ---- what is received ---- */

struct received {
    char text[64];
    size_t length;
    int restarts, fault;
};

static int write_text(void *context, const void *bytes, size_t size) {
    struct received *received = context;
    if (received->fault)
        return received->fault;
    memcpy(received->text + received->length, bytes, size);
    received->length += size;
    received->text[received->length] = '\0';
    return 0;
}

static int restart_text(void *context) {
    struct received *received = context;
    received->length = 0;
    received->text[0] = '\0';
    received->restarts++;
    return 0;
}

static struct sink sink_of(struct received *received, uint64_t offset, uint64_t size) {
    return (struct sink){.offset = offset,
                         .size = size,
                         .whole = strlen(BLOB),
                         .write = write_text,
                         .restart = restart_text,
                         .context = received};
}

/* One answer: status, a header or NULL, and its bytes in pieces. Whether all of it was taken. */
static bool give(struct sink *sink, long status, const char *header, const char *bytes,
                 size_t piece) {
    struct answer answer = {.status = status};
    bool wants_more = true;
    if (header)
        strv_add(&answer.headers, header);
    sink_begin(sink);
    for (size_t at = 0, length = strlen(bytes); wants_more && at < length; at += piece)
        wants_more =
            sink_take(sink, &answer, bytes + at, piece < length - at ? piece : length - at);
    answer_release(&answer);
    return wants_more;
}

static const char *range_of(const struct sink *sink) {
    static char text[SINK_RANGE_SIZE];
    const char *range = sink_range(sink, text);
    return range ? range : "whole";
}

/* ---- good answers ---- */

START_TEST(whole_blobs) {
    for (size_t piece = 1; piece <= 11; piece++) {
        struct received received = {0};
        struct sink sink = sink_of(&received, 0, 10);
        ck_assert_str_eq(range_of(&sink), "whole");
        ck_assert(give(&sink, 200, "Content-Length: 10", BLOB, piece));
        ck_assert(sink_is_full(&sink) && sink.fault == SINK_FINE);
        ck_assert_str_eq(received.text, BLOB);
        ck_assert_int_eq(received.restarts, 0);
    }
}
END_TEST

START_TEST(the_rest_of_a_blob) {
    struct received received = {0};
    struct sink sink = sink_of(&received, 0, 10);
    ck_assert(give(&sink, 200, NULL, "0123", 3));
    ck_assert_str_eq(range_of(&sink), "4-9");
    ck_assert(give(&sink, 206, "Content-Range: bytes 4-9/10", "456", 9));
    ck_assert_str_eq(range_of(&sink), "7-9");
    ck_assert(give(&sink, 206, "content-range: Bytes 7-9/*", "789", 1));
    ck_assert_str_eq(received.text, BLOB);
    ck_assert(sink_is_full(&sink) && received.restarts == 0);
}
END_TEST

START_TEST(a_server_that_knows_no_ranges) {
    struct received received = {0};
    struct sink sink = sink_of(&received, 0, 10);
    ck_assert(give(&sink, 200, NULL, "0123456", 7));
    ck_assert(give(&sink, 200, "Content-Length: 10", BLOB, 4));
    ck_assert_str_eq(received.text, BLOB);
    ck_assert_int_eq(received.restarts, 1);
    ck_assert_uint_eq(sink.farthest, 10);
}
END_TEST

/* Of a blob that has more than is wanted of it. */
START_TEST(ranges) {
    for (size_t piece = 1; piece <= 11; piece++) {
        struct received received = {0};
        struct sink sink = sink_of(&received, 3, 4);
        ck_assert_str_eq(range_of(&sink), "3-6");
        ck_assert(give(&sink, 206, "Content-Range: bytes 3-6/10", "3456", piece));
        ck_assert_str_eq(received.text, "3456");
        received = (struct received){0};
        sink = sink_of(&received, 3, 4);
        ck_assert(!give(&sink, 200, "Content-Length: 10", BLOB, piece));
        ck_assert(sink.fault == SINK_ENOUGH && sink_is_full(&sink));
        ck_assert_str_eq(received.text, "3456");
    }
}
END_TEST

/* ---- bad ones ---- */

START_TEST(what_is_wrong) {
    const struct {
        long status;
        const char *header, *bytes;
        enum sink_fault fault;
        const char *words;
    } cases[] = {
        {200, "Content-Length: 9", "012345678", SINK_OTHER_SIZE, "sends 9 bytes instead of 10"},
        {200, "Content-Length: 99", BLOB, SINK_OTHER_SIZE, "sends 99 bytes instead of 10"},
        {200, NULL, BLOB "x", SINK_TOO_LONG, "sends more than 10 bytes"},
        {200, "Content-Encoding: gzip", BLOB, SINK_COMPRESSED, NULL},
        {206, NULL, BLOB, SINK_OTHER_RANGE, NULL},
        {206, "Content-Range: bytes 0-9/10", BLOB, SINK_OTHER_RANGE, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct received received = {0};
        char text[SINK_FAULT_SIZE];
        struct sink sink = sink_of(&received, 0, 10);
        ck_assert(!give(&sink, cases[i].status, cases[i].header, cases[i].bytes, 4));
        ck_assert_msg(sink.fault == cases[i].fault, "%zu: %d", i, (int)sink.fault);
        if (cases[i].words)
            ck_assert_str_eq(sink_describe(&sink, text), cases[i].words);
    }
    struct received received = {0};
    struct sink sink = sink_of(&received, 0, 10);
    ck_assert(give(&sink, 200, "Content-Encoding: identity", BLOB, 4));
}
END_TEST

START_TEST(another_range_than_the_rest) {
    static const char *const headers[] = {
        "Content-Range: bytes 0-9/10", "Content-Range: bytes 4-8/10", "Content-Range: bytes 4-9/11",
        "Content-Range: bytes 4-9",    "Content-Range: 4-9/10",       NULL};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct received received = {0};
        struct sink sink = sink_of(&received, 0, 10);
        give(&sink, 200, NULL, "0123", 4);
        ck_assert(!give(&sink, 206, headers[i], "456789", 6));
        ck_assert_int_eq(sink.fault, SINK_OTHER_RANGE);
        ck_assert_str_eq(received.text, "0123");
    }
}
END_TEST

START_TEST(a_disk_that_is_full) {
    struct received received = {.fault = -ENOSPC};
    struct sink sink = sink_of(&received, 0, 10);
    ck_assert(!give(&sink, 200, NULL, BLOB, 4));
    ck_assert(sink.fault == SINK_WRITE_FAILED && sink.system_errno == ENOSPC);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sink");
    TCase *tests = tcase_create("sink");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, whole_blobs);
    tcase_add_test(tests, the_rest_of_a_blob);
    tcase_add_test(tests, a_server_that_knows_no_ranges);
    tcase_add_test(tests, ranges);
    tcase_add_test(tests, what_is_wrong);
    tcase_add_test(tests, another_range_than_the_rest);
    tcase_add_test(tests, a_disk_that_is_full);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
