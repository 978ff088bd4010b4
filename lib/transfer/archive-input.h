/* SPDX-License-Identifier: MIT */
/* The bytes of an archive, unpacked, from a descriptor; and what is said when they are no good. */
#ifndef LIB_ARCHIVE_INPUT_H
#define LIB_ARCHIVE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/progress.h"
#include "transfer/unpack.h"

#define ARCHIVE_INPUT_SIZE ((size_t)128 * 1024)

struct archive_input {
    int fd;
    const char *name; /* of the archive, for messages */
    struct vqemu_progress *progress;
    char place[64];    /* the entry that was read last, for messages; "" at the beginning */
    uint64_t position; /* in the archive as it is */
    struct unpacker *unpacker;
    vqemu_error *given_up; /* what the caller's wish to stop became */
    int read_errno;
    size_t raw_size; /* read ahead, not yet handed on */
    unsigned char raw[ARCHIVE_INPUT_SIZE];
};

/* Begin to read; input is zeroed but for fd, name and progress. Must not be moved afterwards. */
int archive_input_open(struct archive_input *input, vqemu_error **error);
void archive_input_close(struct archive_input *input);

/* Read *size bytes; fewer, in *size, only at the end. */
int archive_input_read(struct archive_input *input, void *bytes, size_t *size, vqemu_error **error);

/* The errors: an archive that is broken at the place where it is, or cut off there. */
int archive_is_broken(const struct archive_input *input, vqemu_error **error, const char *format,
                      ...) __attribute__((format(printf, 3, 4)));
int archive_is_cut_off(const struct archive_input *input, vqemu_error **error);

#endif
