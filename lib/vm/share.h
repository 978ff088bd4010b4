/* SPDX-License-Identifier: MIT */
#ifndef LIB_SHARE_H
#define LIB_SHARE_H

#include <volt-qemu/share.h>

#include "vm/property.h"

struct vqemu_share {
    char *path;
    char *tag;
    const char *driver;
    enum toggle writable;
    const char *security_model;
    const char *multidevs;
    char *socket;
};

extern const struct object_type share_type;

#endif
