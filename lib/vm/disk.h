/* SPDX-License-Identifier: MIT */
#ifndef LIB_DISK_H
#define LIB_DISK_H

#include "vm/descriptor-name.h"
#include "vm/device-id.h"
#include "vm/property.h"

/* An image below another, which has what that one does not. */
struct layer {
    char *file;
    uint64_t fd;
    char *fd_name;
    const char *format;
    char *data_file;
    enum toggle block_device;
};

extern const struct object_type layer_type;

/* A disk or CD-ROM drive. */
typedef struct vqemu_disk {
    char *id; /* of the device, if the VM sets it */
    char *file;
    uint64_t fd;
    char *fd_name;
    const char *format;
    struct object_list backing; /* of layers, from the top */
    char *data_file;
    const char *bus;
    enum toggle cdrom;
    enum toggle read_only;
    enum toggle block_device;
    const char *cache;
    const char *aio;
    enum toggle discard;
    char *serial;
    uint64_t boot_order;
    char *iothread;
} vqemu_disk;

extern const struct object_type disk_type;

#endif
