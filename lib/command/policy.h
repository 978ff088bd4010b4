/* SPDX-License-Identifier: MIT */
#ifndef LIB_POLICY_H
#define LIB_POLICY_H

#include <stdatomic.h>

#include <volt-qemu/policy.h>

#include "util/cleanup.h"
#include "vm/property.h"

/* Ports of the host, both ends included. */
struct port_range {
    char *host_address; /* of forwards; NULL for the loopback address */
    uint64_t first, last;
};

extern const struct object_type forward_range_type, port_range_type;

struct vqemu_policy {
    atomic_uint references;
    /* whose they are */
    char *name_prefix;
    struct strv users;
    /* paths */
    struct strv read_paths, write_paths, sockets, devices;
    enum toggle kernel, share_9p, share_virtiofs, share_passthrough, virtiofsd_root, qcow2,
        console_file;
    /* network */
    const char *user_network;
    struct object_list forwards, vnc_ports;
    struct strv bridges, taps;
    enum toggle vnc_no_password, vsock;
    /* how much */
    uint64_t max_memory, max_cpus, max_disks, max_shares, max_nics;
    enum toggle hugepages;
    /* what gets round all of these */
    enum toggle descriptors, programs, console_monitor, sandbox_off, extra_args;
};

extern const struct object_type policy_type;

DEFINE_CLEANUP(vqemu_policy, policy, vqemu_policy_unref);
#define _cleanup_policy_ _cleanup_(cleanup_policy)

#endif
