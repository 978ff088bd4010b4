/* SPDX-License-Identifier: MIT */
/*
 * Images as QEMU's block nodes (QEMU: docs/system/qemu-block-drivers, "-blockdev"). What an image's
 * own header names is not opened, as far as QEMU lets that be said.
 */
#ifndef LIB_ARGS_IMAGE_H
#define LIB_ARGS_IMAGE_H

#include "command/args.h"

/* A file, and the driver that opens it: file, host_device, host_cdrom. */
struct image_file {
    const char *driver, *name;
};

struct image {
    const char *node;   /* by which a device or another image names it; up to 24 bytes */
    const char *format; /* raw if it is NULL */
    struct image_file file;
    struct image_file data; /* of a qcow2 image whose content is there; no name: none */
    const char *backing;    /* node of the layer below; NULL: none, whatever the header says */
    bool read_only;
    const char *cache, *aio; /* of the disk that it is part of, or NULL */
    bool discard;
};

bool image_has_layers(const char *format);

/* Its nodes; those that it names must be there. */
void args_add_image(struct args *args, const struct image *image);

#endif
