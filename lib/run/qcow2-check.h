/* SPDX-License-Identifier: MIT */
#ifndef LIB_QCOW2_CHECK_H
#define LIB_QCOW2_CHECK_H

#include <volt-qemu/error.h>

#include "command/resources.h"

/*
 * Make sure that the header of a qcow2 image names no other file than those that the VM names: QEMU
 * would open a data file, wherever that is, and a guest would not have what a backing file has.
 */
int qcow2_check(const struct file_use *file, vqemu_error **error);

/* The same for an image by its descriptor, whose offset stays; where this process has not such an
 * image under that number, nothing is said of it. */
int qcow2_check_fd(const struct descriptor_use *use, vqemu_error **error);

#endif
