/* SPDX-License-Identifier: MIT */
#ifndef LIB_DISK_H
#define LIB_DISK_H

#include <volt-qemu/disk.h>

#include "vm/property.h"

struct vqemu_disk {
    char *file;
    uint64_t fd;
    const char *format;
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
};

extern const struct object_type disk_type;

#endif
