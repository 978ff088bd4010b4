/* SPDX-License-Identifier: MIT */
#ifndef LIB_NIC_H
#define LIB_NIC_H

#include "vm/descriptor-name.h"
#include "vm/device-id.h"
#include "vm/property.h"

/* A port of the host that leads to the guest. */
struct forward {
    const char *protocol;
    char *host_address;
    uint64_t host_port;
    uint64_t guest_port;
};

extern const struct object_type forward_type;

/* A network device. */
typedef struct vqemu_nic {
    char *id; /* of the device, if the VM sets it */
    const char *backend;
    const char *model;
    char *mac;
    struct object_list forwards;
    enum toggle isolated;
    char *ifname;
    uint64_t fd;
    char *fd_name;
    enum toggle vhost;
    uint64_t vhost_fd;
    char *vhost_fd_name;
    char *bridge;
    char *helper;
    uint64_t boot_order;
} vqemu_nic;

extern const struct object_type nic_type;

#endif
