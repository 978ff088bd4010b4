/* SPDX-License-Identifier: MIT */
/* Images of flash chips: what the guest sees of a file. */
#ifndef LIB_FLASH_IMAGE_H
#define LIB_FLASH_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <volt-qemu/error.h>

/*
 * The size of the chip. That of a raw image is that of the file; a qcow2 image has it in its
 * header. Refused is a qcow2 image that is not whole in its file. path stands for it in messages.
 */
int flash_image_size(int fd, const char *path, bool qcow2, uint64_t *size, vqemu_error **error);

#endif
