/* SPDX-License-Identifier: MIT */
#include "transfer/tar-header.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"

static_assert(sizeof(struct tar_header) == TAR_BLOCK_SIZE, "not a block");
static_assert(sizeof(struct tar_gnu_header) == TAR_BLOCK_SIZE, "not a block");
static_assert(sizeof(struct tar_sparse_block) == TAR_BLOCK_SIZE, "not a block");

#define OCTAL_SIZE_MAX 077777777777ULL

bool tar_block_is_zero(const void *block) {
    const char *bytes = block;
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, TAR_BLOCK_SIZE - 1) == 0;
}

/* ---- numbers ---- */

/* Big-endian, in two's complement; the first bit says only that it is such a number. */
static bool parse_base256(const unsigned char *field, size_t size, int64_t *value) {
    bool is_negative = field[0] & 0x40;
    uint64_t number = is_negative ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = i > 0 ? field[i] : is_negative ? field[i] | 0x80 : field[i] & 0x7f;
        if (number >> 55 != (is_negative ? 0x1ff : 0))
            return false;
        number = number << 8 | byte;
    }
    *value = (int64_t)number;
    return true;
}

bool tar_number(const char *field, size_t size, int64_t *value) {
    size_t i = 0;
    if (field[0] & 0x80)
        return parse_base256((const unsigned char *)field, size, value);
    while (i < size && field[i] == ' ')
        i++;
    uint64_t number = 0;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++) {
        if (number > INT64_MAX >> 3)
            return false;
        number = number << 3 | (uint64_t)(field[i] - '0');
    }
    *value = (int64_t)number;
    return i == size || field[i] == ' ' || field[i] == '\0';
}

/* ---- checksum ---- */

struct checksums {
    int64_t bytes, signed_bytes; /* old tar programs had char with a sign */
};

static struct checksums add_up(const struct tar_header *header) {
    struct tar_header blank = *header;
    struct checksums sums = {0, 0};
    memset(blank.checksum, ' ', sizeof blank.checksum);
    const unsigned char *bytes = (const unsigned char *)&blank;
    for (size_t i = 0; i < sizeof blank; i++) {
        sums.bytes += bytes[i];
        sums.signed_bytes += (signed char)bytes[i];
    }
    return sums;
}

bool tar_header_is_sound(const struct tar_header *header) {
    int64_t sum;
    struct checksums sums = add_up(header);
    return tar_number(header->checksum, sizeof header->checksum, &sum) &&
           (sum == sums.bytes || sum == sums.signed_bytes);
}

/* ---- names ---- */

/* GNU's header, "ustar  ", has other things in place of the prefix. */
char *tar_header_name(const struct tar_header *header) {
    bool has_prefix = memcmp(header->magic, "ustar", 6) == 0 && header->prefix[0];
    return has_prefix ? format_string("%.*s/%.*s", (int)sizeof header->prefix, header->prefix,
                                      (int)sizeof header->name, header->name)
                      : strndup(header->name, sizeof header->name);
}

char *tar_header_link(const struct tar_header *header) {
    return strndup(header->link, sizeof header->link);
}

/* ---- making one ---- */

/* As a prefix and a name with a slash between them, if need be. */
static bool set_name(struct tar_header *header, const char *name) {
    size_t length = strlen(name);
    if (length <= sizeof header->name) {
        memcpy(header->name, name, length);
        return true;
    }
    size_t first = length - sizeof header->name - 1;
    const char *slash = strchr(name + first, '/');
    size_t prefix = slash ? (size_t)(slash - name) : SIZE_MAX;
    if (slash && prefix > 0 && prefix <= sizeof header->prefix && slash[1]) {
        memcpy(header->prefix, name, prefix);
        memcpy(header->name, slash + 1, length - prefix - 1);
        return true;
    }
    size_t cut = sizeof header->name;
    while (cut > 0 && ((unsigned char)name[cut] & 0xc0) == 0x80) /* within a character */
        cut--;
    memcpy(header->name, name, cut);
    return false;
}

static void set_number(char *field, size_t size, uint64_t value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%0*llo", (int)size - 1, (unsigned long long)value);
    memcpy(field, digits, size);
}

bool tar_header_make(struct tar_header *header, char type, const char *name, uint64_t size,
                     unsigned mode, int64_t time) {
    *header = (struct tar_header){.type = type};
    bool fits = set_name(header, name) && size <= OCTAL_SIZE_MAX;
    set_number(header->mode, sizeof header->mode, mode);
    set_number(header->uid, sizeof header->uid, 0);
    set_number(header->gid, sizeof header->gid, 0);
    set_number(header->size, sizeof header->size, size <= OCTAL_SIZE_MAX ? size : 0);
    set_number(header->mtime, sizeof header->mtime, (uint64_t)time);
    memcpy(header->magic, "ustar\00000", sizeof header->magic);
    set_number(header->device_major, sizeof header->device_major, 0);
    set_number(header->device_minor, sizeof header->device_minor, 0);
    set_number(header->checksum, sizeof header->checksum - 1, (uint64_t)add_up(header).bytes);
    header->checksum[sizeof header->checksum - 1] = ' ';
    return fits;
}
