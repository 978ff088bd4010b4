/* SPDX-License-Identifier: MIT */
/*
 * A custom mutator of libFuzzer for targets whose input is an archive: changes what is in it, packs
 * it again, perhaps otherwise, and makes the checksums good, which nothing would get past by
 * chance; at times it changes only bytes. Nothing but being linked is needed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#define BLOCK 512
#define CHECKSUM_AT 148
#define CHECKSUM_SIZE 8
#define UNPACKED_MAX ((size_t)256 * 1024)

/* libFuzzer's own. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* ---- compression ---- */

/* Returns the size of what is packed; 0 if that cannot be told, or is too much. */
static size_t unpack(const uint8_t *data, size_t size, uint8_t *unpacked) {
    struct archive *reader = archive_read_new();
    struct archive_entry *entry;
    la_ssize_t length = 0;
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_zstd(reader);
    archive_read_support_format_raw(reader);
    if (archive_read_open_memory(reader, data, size) == ARCHIVE_OK &&
        archive_read_next_header(reader, &entry) == ARCHIVE_OK)
        length = archive_read_data(reader, unpacked, UNPACKED_MAX);
    archive_read_free(reader);
    return length > 0 ? (size_t)length : 0;
}

/* At the least level: the others take long, and much memory. */
static bool set_filter(struct archive *writer, unsigned choice) {
    static int (*const filters[])(struct archive *) = {
        archive_write_add_filter_gzip, archive_write_add_filter_xz, archive_write_add_filter_zstd};
    if (choice % 4 == 3)
        return true;
    return filters[choice % 4](writer) == ARCHIVE_OK &&
           archive_write_set_filter_option(writer, NULL, "compression-level", "1") == ARCHIVE_OK;
}

/* Returns the size; 0 if it does not fit. */
static size_t pack(const uint8_t *unpacked, size_t length, unsigned choice, uint8_t *data,
                   size_t max_size) {
    struct archive *writer = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    size_t size = 0;
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_pathname(entry, "x");
    archive_write_set_format_raw(writer);
    archive_write_set_bytes_per_block(writer, 0);
    bool good = set_filter(writer, choice) &&
                archive_write_open_memory(writer, data, max_size, &size) == ARCHIVE_OK &&
                archive_write_header(writer, entry) == ARCHIVE_OK &&
                archive_write_data(writer, unpacked, length) == (la_ssize_t)length &&
                archive_write_close(writer) == ARCHIVE_OK;
    archive_write_free(writer);
    archive_entry_free(entry);
    return good ? size : 0;
}

/* ---- tar ---- */

/* A block that can be taken for a header: its checksum field has digits. */
static bool is_like_header(const uint8_t *block) {
    for (int i = 0; i < CHECKSUM_SIZE - 2; i++)
        if (!strchr(" 01234567", block[CHECKSUM_AT + i]) || !block[CHECKSUM_AT + i])
            return false;
    return true;
}

static void mend_checksums(uint8_t *bytes, size_t length) {
    for (size_t at = 0; at + BLOCK <= length; at += BLOCK) {
        uint8_t *block = bytes + at;
        unsigned sum = 0;
        if (!is_like_header(block))
            continue;
        memset(block + CHECKSUM_AT, ' ', CHECKSUM_SIZE);
        for (int i = 0; i < BLOCK; i++)
            sum += block[i];
        snprintf((char *)block + CHECKSUM_AT, CHECKSUM_SIZE, "%06o", sum);
    }
}

/* Mostly inside one block, so that the others stay where they are. */
static size_t mutate_blocks(uint8_t *bytes, size_t length, unsigned seed) {
    size_t blocks = length / BLOCK;
    if (blocks == 0 || seed % 4 == 0)
        return LLVMFuzzerMutate(bytes, length, UNPACKED_MAX);
    uint8_t *block = bytes + seed / 4 % blocks * BLOCK;
    if (seed % 4 == 1) { /* the name */
        LLVMFuzzerMutate(block, 100, 100);
    } else {
        LLVMFuzzerMutate(block, BLOCK, BLOCK);
    }
    return length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    static uint8_t unpacked[UNPACKED_MAX];
    srand(seed);
    unsigned choice = (unsigned)rand();
    size_t length = choice % 8 == 0 ? 0 : unpack(data, size, unpacked);
    if (length == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    length = mutate_blocks(unpacked, length, (unsigned)rand());
    mend_checksums(unpacked, length);
    size_t packed = pack(unpacked, length, (unsigned)rand(), data, max_size);
    return packed ? packed : size;
}
