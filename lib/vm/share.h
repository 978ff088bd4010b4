/* SPDX-License-Identifier: MIT */
#ifndef LIB_SHARE_H
#define LIB_SHARE_H

#include "vm/device-id.h"
#include "vm/property.h"

/* A directory of the host that the guest can mount. */
typedef struct vqemu_share {
    char *id; /* of the device, if the VM sets it */
    char *path;
    char *tag;
    const char *driver;
    enum toggle writable;
    const char *security_model;
    const char *multidevs;
    char *socket;
} vqemu_share;

extern const struct object_type share_type;

#endif
