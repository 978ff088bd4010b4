/* SPDX-License-Identifier: MIT */
/* What the programs of the bench share: a clock, medians, and giving up with a message. */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* A bench that cannot do its work has nothing to measure. */
_Noreturn static inline void die(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

_Noreturn static inline void die_text(const char *what, const char *why) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(1);
}

static inline void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        die("memory");
    return memory;
}

static inline size_t parse_count(const char *text) {
    char *end;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end || number == 0)
        die_text(text, "not a number above 0");
    return (size_t)number;
}

/* Samples of one thing, timed in this process: as many as asked for, but for no longer than this.
 */
#define SAMPLING_NS 300000000U

struct samples {
    uint64_t *ns;
    size_t count, limit;
    uint64_t first, start;
};

static inline struct samples samples_of(size_t limit) {
    return (struct samples){.ns = allocate(limit + 3, sizeof(uint64_t)), .limit = limit};
}

static inline void sample_start(struct samples *samples) {
    samples->start = now_ns();
    if (samples->count == 0)
        samples->first = samples->start;
}

static inline void sample_end(struct samples *samples) {
    samples->ns[samples->count++] = now_ns() - samples->start;
}

static inline int sample_more(const struct samples *samples) {
    return samples->count < 3 ||
           (samples->count < samples->limit && samples->start - samples->first < SAMPLING_NS);
}

static inline int compare_ns(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Print the median. */
static inline void samples_print(struct samples *samples) {
    qsort(samples->ns, samples->count, sizeof *samples->ns, compare_ns);
    printf("%ju\n", (uintmax_t)samples->ns[samples->count / 2]);
    free(samples->ns);
}

static inline char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "re");
    if (!file || fseek(file, 0, SEEK_END) < 0)
        die(path);
    long length = ftell(file);
    if (length < 0)
        die(path);
    rewind(file);
    char *text = allocate((size_t)length + 1, 1);
    *size = fread(text, 1, (size_t)length, file);
    if (*size != (size_t)length)
        die(path);
    fclose(file);
    return text;
}

#endif
