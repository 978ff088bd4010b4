/* SPDX-License-Identifier: MIT */
#include "store/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/guard.h"
#include "store/leftovers.h"
#include "store/object.h"
#include "util/cleanup.h"
#include "util/fd.h"

#define FOOTER "end "
#define FOOTER_LENGTH (sizeof FOOTER - 1 + DIGEST_HEX_LENGTH + 1)

void record_seal(struct strbuf *text) {
    if (text->failed)
        return;
    struct digest digest = digest_of_bytes(text->text, text->length);
    strbuf_addf(text, FOOTER "%s\n", digest.hex);
}

/* Check and cut off the last line. */
static bool cut_footer(char *text, size_t size) {
    if (size < FOOTER_LENGTH || text[size - 1] != '\n' ||
        strncmp(text + size - FOOTER_LENGTH, FOOTER, strlen(FOOTER)) != 0)
        return false;
    struct digest digest = digest_of_bytes(text, size - FOOTER_LENGTH);
    bool intact = strncmp(text + size - DIGEST_HEX_LENGTH - 1, digest.hex, DIGEST_HEX_LENGTH) == 0;
    text[size - FOOTER_LENGTH] = '\0';
    return intact;
}

int record_read(int directory_fd, const char *name, uint32_t store_flags, size_t limit,
                char **text) {
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *read = NULL;
    struct stat status;
    size_t size;
    *text = NULL;
    int r = object_open(directory_fd, name, &fd, &status);
    if (r == 0 && !guard_trusts_file(store_flags, &status))
        r = -EPERM;
    if (r == 0)
        r = read_all_sized(fd, (size_t)status.st_size, limit, &read, &size);
    if (r < 0)
        return r;
    if (!cut_footer(read, size))
        return -EBADMSG;
    *text = TAKE_POINTER(read);
    return 0;
}

int record_read_start(int directory_fd, const char *name, uint32_t store_flags, size_t limit,
                      char **text) {
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *start = malloc(limit + 1);
    struct stat status;
    *text = NULL;
    int r = object_open(directory_fd, name, &fd, &status);
    if (r < 0)
        return r;
    if (!guard_trusts_file(store_flags, &status))
        return -EPERM;
    if (!start)
        return -ENOMEM;
    ssize_t n = read_some(fd, start, limit);
    if (n < 0)
        return (int)n;
    while (n > 0 && start[n - 1] != '\n')
        n--;
    start[n] = '\0';
    *text = TAKE_POINTER(start);
    return 0;
}

static int write_new(int directory_fd, const char *name, const struct strbuf *text) {
    _cleanup_close_ int fd = create_at(directory_fd, name, O_WRONLY | O_EXCL | O_NOFOLLOW, 0644);
    return fd < 0 ? fd : write_all(fd, text->text, text->length);
}

int record_replace(int directory_fd, const char *name, struct strbuf *text) {
    record_seal(text);
    _cleanup_free_ char *staged = leftovers_new_name();
    if (text->failed || !staged)
        return -ENOMEM;
    leftovers_sweep(directory_fd);
    int r = write_new(directory_fd, staged, text);
    if (r == 0 && renameat(directory_fd, staged, directory_fd, name) < 0)
        r = -errno;
    if (r < 0)
        unlinkat(directory_fd, staged, 0);
    return r;
}

const char *record_next(char **line, const char *prefix) {
    size_t length = strlen(prefix);
    char *end = strchr(*line, '\n');
    if (!end || strncmp(*line, prefix, length) != 0)
        return NULL;
    const char *rest = *line + length;
    *end = '\0';
    *line = end + 1;
    return rest;
}

void record_add_number(struct strbuf *text, uint64_t number, unsigned base, char behind) {
    strbuf_add_number(text, number, base, 1);
    strbuf_add_char(text, behind);
}

void record_add_time(struct strbuf *text, int64_t seconds, int64_t nanoseconds, char behind) {
    if (seconds < 0)
        strbuf_add_char(text, '-');
    record_add_number(text, seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds, 10, '.');
    strbuf_add_number(text, (uint64_t)nanoseconds, 10, 9);
    strbuf_add_char(text, behind);
}

/* Not strtoull(3), which looks for blanks, signs and prefixes: a stamp has hundreds of numbers. */
bool record_take_number(const char **text, unsigned base, char behind, uint64_t *number) {
    const char *at = *text;
    uint64_t value = 0;
    for (unsigned digit; (digit = (unsigned char)*at - (unsigned)'0') < base; at++)
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    if (at == *text || *at != behind)
        return false;
    *text = at + (behind != '\0');
    *number = value;
    return true;
}

bool record_take_time(const char **text, char behind, int64_t *seconds, int64_t *nanoseconds) {
    bool is_negative = **text == '-';
    const char *at = *text + is_negative;
    uint64_t whole, fraction;
    if (!record_take_number(&at, 10, '.', &whole) || whole > INT64_MAX ||
        !record_take_number(&at, 10, behind, &fraction) || fraction > 999999999)
        return false;
    *text = at;
    *seconds = is_negative ? -(int64_t)whole : (int64_t)whole;
    *nanoseconds = (int64_t)fraction;
    return true;
}
