/* SPDX-License-Identifier: MIT */
#include "transfer/tar-pax.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tar_extended_init(struct tar_extended *extended) {
    *extended = (struct tar_extended){
        .size = -1, .sparse_major = -1, .sparse_size = -1, .sparse_offset = -1};
}

void tar_extended_release(struct tar_extended *extended) {
    free(extended->path);
    free(extended->link);
    free(extended->sparse_path);
    tar_sparse_release(&extended->sparse);
    tar_extended_init(extended);
}

bool tar_extended_says(const struct tar_extended *extended) {
    return extended->path || extended->link || extended->sparse_path || extended->size >= 0 ||
           extended->sparse_major >= 0 || extended->sparse_size >= 0 || extended->has_map;
}

/* ---- values ---- */

/* Digits up to a separator; *text moves behind it. */
static bool parse_number(const char **text, const char *end, char separator, int64_t *value) {
    const char *at = *text;
    int64_t number = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *at - '0', &number))
            return false;
    if (at == *text || (at < end && *at != separator))
        return false;
    *text = at < end ? at + 1 : at;
    *value = number;
    return true;
}

/* An empty value takes back what was said before. */
static int set_text(char **member, const char *value, size_t size) {
    free(*member);
    *member = NULL;
    if (size == 0 || *value == '\0')
        return 0;
    *member = strndup(value, size);
    return *member ? 0 : -ENOMEM;
}

static int set_number(int64_t *member, const char *value, size_t size) {
    *member = -1;
    const char *end = value + size;
    return size == 0 || (parse_number(&value, end, '\0', member) && value == end) ? 0 : -EBADMSG;
}

/* Format 0.1: all pieces in one value. */
static int set_map(struct tar_extended *extended, const char *value, size_t size) {
    const char *end = value + size;
    tar_sparse_release(&extended->sparse);
    extended->has_map = true;
    while (value < end) {
        int64_t offset, length;
        if (!parse_number(&value, end, ',', &offset) || !parse_number(&value, end, ',', &length))
            return -EBADMSG;
        int r = tar_sparse_add(&extended->sparse, offset, length);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Format 0.0: a record for each number. */
static int add_piece(struct tar_extended *extended, const char *value, size_t size) {
    int64_t length;
    int r = set_number(&length, value, size);
    if (r == 0)
        r = tar_sparse_add(&extended->sparse, extended->sparse_offset, length);
    extended->sparse_offset = -1;
    extended->has_map = true;
    return r;
}

/* ---- records ---- */

static int apply(struct tar_extended *extended, const char *key, const char *value, size_t size) {
    if (strcmp(key, "path") == 0)
        return set_text(&extended->path, value, size);
    if (strcmp(key, "linkpath") == 0)
        return set_text(&extended->link, value, size);
    if (strcmp(key, "size") == 0)
        return set_number(&extended->size, value, size);
    if (strcmp(key, "GNU.sparse.name") == 0)
        return set_text(&extended->sparse_path, value, size);
    if (strcmp(key, "GNU.sparse.major") == 0)
        return set_number(&extended->sparse_major, value, size);
    if (strcmp(key, "GNU.sparse.size") == 0 || strcmp(key, "GNU.sparse.realsize") == 0)
        return set_number(&extended->sparse_size, value, size);
    if (strcmp(key, "GNU.sparse.offset") == 0)
        return set_number(&extended->sparse_offset, value, size);
    if (strcmp(key, "GNU.sparse.numbytes") == 0)
        return add_piece(extended, value, size);
    if (strcmp(key, "GNU.sparse.map") == 0)
        return set_map(extended, value, size);
    /* Sparse files of star and Solaris: without their maps, the content would be another one. */
    if (strcmp(key, "SUN.holesdata") == 0 || strcmp(key, "SCHILY.realsize") == 0)
        return -ENOTSUP;
    return 0; /* owners, times, attributes: nothing that a profile holds */
}

static int parse_record(struct tar_extended *extended, const char *record, const char *end,
                        const char **problem) {
    const char *equals = memchr(record, '=', (size_t)(end - record));
    *problem = "a record of its extended header is not of the form \"length key=value\"";
    if (!equals || equals == record || end[-1] != '\n')
        return -EBADMSG;
    char *key = strndup(record, (size_t)(equals - record));
    if (!key)
        return -ENOMEM;
    int r = apply(extended, key, equals + 1, (size_t)(end - 1 - (equals + 1)));
    free(key);
    *problem = r == -ENOTSUP ? "it is sparse in a way of which only star and Solaris know; pack it "
                               "by another tar program"
               : r == -EFBIG ? "it is sparse, in too many pieces"
                             : "a number in its extended header makes no sense";
    return r == -ENOTSUP || r == -EFBIG ? -EBADMSG : r;
}

int tar_pax_parse(const char *text, size_t size, struct tar_extended *extended,
                  const char **problem) {
    const char *end = text + size;
    while (text < end) {
        const char *record = text;
        int64_t length;
        *problem = "the length of a record of its extended header is wrong";
        if (!parse_number(&record, end, ' ', &length) || length > end - text ||
            length <= record - text)
            return -EBADMSG;
        int r = parse_record(extended, record, text + length, problem);
        if (r < 0)
            return r;
        text += length;
    }
    return 0;
}

void tar_pax_add(struct strbuf *text, const char *key, const char *value) {
    char digits[24];
    size_t rest = strlen(key) + strlen(value) + 3; /* blank, equals sign, newline */
    size_t length = rest + 1;
    while (length != rest + (size_t)snprintf(digits, sizeof digits, "%zu", length))
        length++;
    strbuf_addf(text, "%zu %s=%s\n", length, key, value);
}
