/* SPDX-License-Identifier: MIT */
/* The header of a qcow2 image, version 2 or 3 (docs/interop/qcow2.txt in QEMU's sources). */
#ifndef LIB_QCOW2_H
#define LIB_QCOW2_H

#include <stdbool.h>
#include <stdint.h>

#define QCOW2_NAME_MAX 1023 /* bytes of the name of a backing file */

struct qcow2_header {
    uint64_t size; /* of what the guest sees */
    /* Other files that QEMU opens for it, unless it is told which; names are empty where they
     * cannot be read. */
    bool has_backing, has_data_file;
    char backing[QCOW2_NAME_MAX + 1], data_file[QCOW2_NAME_MAX + 1];
};

/* Whether a file starts as a qcow2 image does: 1, 0, or a negative errno. */
int qcow2_is_one(int fd);

/* Read the header. Returns 1, 0 if it is no such image, or a negative errno. */
int qcow2_read_header(int fd, struct qcow2_header *header);

#endif
