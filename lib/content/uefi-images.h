/* SPDX-License-Identifier: MIT */
/* UEFI firmware by the names of its files, for directories without descriptors. */
#ifndef LIB_UEFI_IMAGES_H
#define LIB_UEFI_IMAGES_H

#include <stddef.h>

struct uefi_images {
    const char *arch, *code, *vars;
    unsigned features; /* of enum firmware_feature */
};

/* The best of an architecture comes first. */
size_t uefi_images_count(void);
const struct uefi_images *uefi_images_at(size_t index);

#endif
