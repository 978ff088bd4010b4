/* SPDX-License-Identifier: MIT */
#include "command/qcow2.h"

#include <stddef.h>
#include <string.h>
#include <sys/types.h>

#include "util/fd.h"

/* Numbers are big-endian. */
#define MAGIC "QFI\xfb"
#define MAGIC_SIZE 4
#define VERSION_AT 4
#define BACKING_FILE_AT 8
#define BACKING_FILE_SIZE_AT 16
#define SIZE_AT 24
#define VERSION_2_SIZE 72
#define INCOMPATIBLE_FEATURES_AT 72 /* from version 3 on */
#define HEADER_LENGTH_AT 100
#define VERSION_3_SIZE 104
#define EXTERNAL_DATA_FILE 4 /* of the incompatible features */

#define EXTENSION_SIZE 8 /* type and length, before its data */
#define EXTENSION_DATA_FILE 0x44415441
#define EXTENSIONS_MAX 64

/* Up to size bytes. Returns how many there were, or a negative errno. */
static ssize_t read_at(int fd, void *bytes, size_t size, uint64_t offset) {
    return offset > INT64_MAX ? 0 : read_some_at(fd, bytes, size, (off_t)offset);
}

static uint64_t number_at(const unsigned char *bytes, int size) {
    uint64_t number = 0;
    for (int i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

int qcow2_is_one(int fd) {
    unsigned char start[MAGIC_SIZE];
    ssize_t n = read_at(fd, start, sizeof start, 0);
    if (n < 0)
        return (int)n;
    return n == MAGIC_SIZE && memcmp(start, MAGIC, MAGIC_SIZE) == 0;
}

/* For messages only. */
static void read_name(int fd, uint64_t offset, uint64_t size,
                      char name[static QCOW2_NAME_MAX + 1]) {
    ssize_t n = size <= QCOW2_NAME_MAX ? read_at(fd, name, (size_t)size, offset) : 0;
    name[n == (ssize_t)size && n > 0 ? n : 0] = '\0';
}

static void find_data_file(int fd, uint64_t offset, char name[static QCOW2_NAME_MAX + 1]) {
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        unsigned char extension[EXTENSION_SIZE];
        if (read_at(fd, extension, sizeof extension, offset) != EXTENSION_SIZE)
            return;
        uint64_t type = number_at(extension, 4), size = number_at(extension + 4, 4);
        if (type == EXTENSION_DATA_FILE)
            read_name(fd, offset + EXTENSION_SIZE, size, name);
        if (type == EXTENSION_DATA_FILE || type == 0)
            return;
        offset += EXTENSION_SIZE + (size + 7) / 8 * 8;
    }
}

int qcow2_read_header(int fd, struct qcow2_header *header) {
    unsigned char bytes[VERSION_3_SIZE] = {0};
    ssize_t n = read_at(fd, bytes, sizeof bytes, 0);
    memset(header, 0, sizeof *header);
    if (n < 0)
        return (int)n;
    if (n < VERSION_2_SIZE || memcmp(bytes, MAGIC, MAGIC_SIZE) != 0)
        return 0;
    uint64_t version = number_at(bytes + VERSION_AT, 4);
    uint64_t backing = number_at(bytes + BACKING_FILE_AT, 8);
    uint64_t features = version < 3 ? 0 : number_at(bytes + INCOMPATIBLE_FEATURES_AT, 8);
    header->size = number_at(bytes + SIZE_AT, 8);
    header->has_backing = backing != 0;
    header->has_data_file = features & EXTERNAL_DATA_FILE;
    if (header->has_backing)
        read_name(fd, backing, number_at(bytes + BACKING_FILE_SIZE_AT, 4), header->backing);
    if (header->has_data_file)
        find_data_file(fd, number_at(bytes + HEADER_LENGTH_AT, 4), header->data_file);
    return 1;
}
